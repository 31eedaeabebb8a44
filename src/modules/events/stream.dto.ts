import { Flag, Text } from '../../platform/http/fields.js';
import { WorkspaceField } from '../memory/memory.dto.js';

export class StreamDto extends WorkspaceField {
  @Text({
    max: 64,
    optional: true,
    description:
      'As the header `Last-Event-ID`, which comes before it: the id of the last event that was read',
  })
  last_event_id?: string;

  @Flag({ optional: true, default: true, description: 'false: ends when all is told that there is' })
  follow = true;
}
