import { Flag, Int, Text, Texts } from '../../platform/http/fields.js';
import { WorkspaceField } from './memory.dto.js';

/** What AutoMem's clients send besides. */
export class AutoMemRecallFields extends WorkspaceField {
  @Text({
    max: 8_192,
    optional: true,
    description:
      'What the caller is doing, as a label or in words: memories with such tags or words rank higher',
    example: 'coding-style',
  })
  context?: string;

  @Texts({
    max: 32,
    each: { max: 64 },
    commas: true,
    optional: true,
    description: 'Memories of these types rank higher; nothing is left out',
  })
  context_types?: string[];

  @Text({
    max: 64,
    optional: true,
    description:
      "Of programming: memories that have it as a tag or a word rank higher. Of people (a code, as de, or a name): the question's words are read in it",
    example: 'typescript',
  })
  language?: string;

  @Text({
    max: 4_096,
    optional: true,
    description:
      'The file that is being worked on: its language and its names rank memories higher, as context does',
    example: 'src/billing/invoice.ts',
  })
  active_path?: string;

  @Texts({
    max: 100,
    each: { max: 256 },
    commas: true,
    optional: true,
    description:
      'Ids of memories that come first, in this order and whatever they score, where they are there and pass the filters; others are passed over',
  })
  priority_ids?: string[];

  @Flag({
    optional: true,
    default: false,
    description:
      'A question that holds several is also asked part by part; a memory counts by the best. The answer says in queries what was asked',
  })
  auto_decompose = false;

  @Int({ min: 1, max: 100, optional: true, description: 'At most so many by each wording' })
  per_query_limit?: number;

  @Flag({
    optional: true,
    default: false,
    description:
      'Where the tags leave fewer than asked for, memories without them fill up, after the others and marked outside_tag_scope',
  })
  scope_fallback = false;

  @Flag({
    optional: true,
    default: false,
    description:
      'Leaves out the long tail: below half of the best score, and after a drop of a quarter of it at once',
  })
  adaptive_floor = false;

  @Flag({
    optional: true,
    default: false,
    description: 'Says in state_filter what was superseded by what',
  })
  state_debug = false;

  @Flag({
    optional: true,
    default: false,
    description:
      'After the results, memories that name what one of them names, first what the fewest name: each says in expanded_from_entity what that is',
  })
  expand_entities = false;

  @Text({
    max: 64,
    optional: true,
    description: "How AutoMem's bridge prints what it got: taken, and without effect on this answer",
  })
  format?: string;
}
