import { Instant, Int, OneOf, Tags, Text, Texts } from '../../platform/http/fields.js';
import { WorkspaceField } from './memory.dto.js';

/** What lists of memories can be narrowed by. */
export class ListMemoriesDto extends WorkspaceField {
  @Int({ min: 1, max: 200, optional: true, default: 50 })
  limit = 50;

  @Text({ max: 512, optional: true, description: '`next_cursor` of the page before' })
  cursor?: string;

  @Tags({ optional: true })
  tags?: string[];

  @OneOf(['any', 'all'], { optional: true, default: 'any' })
  tag_mode: 'any' | 'all' = 'any';

  @Texts({ max: 32, each: { max: 64 }, commas: true, optional: true })
  types?: string[];

  @Text({ max: 256, optional: true })
  session_id?: string;

  @Text({ max: 256, optional: true })
  user_id?: string;

  @Text({ max: 256, optional: true })
  agent_id?: string;

  @Instant({ optional: true })
  start?: string;

  @Instant({ optional: true })
  end?: string;
}

export class ByTagDto extends WorkspaceField {
  @Tags({ min: 1, description: 'Any of them' })
  tags!: string[];

  @Int({ min: 1, max: 200, optional: true, default: 50 })
  limit = 50;

  @Text({ max: 512, optional: true, description: '`next_cursor` of the page before' })
  cursor?: string;

  @Int({ min: 0, max: 1_000_000, optional: true, default: 0, description: 'How many to pass over first' })
  offset = 0;
}

export class DeleteByTagDto extends WorkspaceField {
  @Tags({ min: 1, description: 'Every memory that has any of them is deleted' })
  tags!: string[];
}
