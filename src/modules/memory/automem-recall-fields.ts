import { Lenient } from '../../platform/http/fields.js';
import { lenientFlag, lenientNumber, lenientText, lenientTexts } from '../../platform/http/lenient.js';
import { WorkspaceField } from './memory.dto.js';

const LONGEST_WORDS = 8_192;
const MOST_TYPES = 32;
const MOST_IDS = 100;
const MOST_EACH = 100;
/** Of a name, such as a type's or a language's. */
const LONGEST_NAME = 128;

const texts = (most: number) => ({ type: 'array', items: { type: 'string' }, maxItems: most });
const Switch = (description: string): PropertyDecorator =>
  Lenient((given) => lenientFlag(given) ?? false, { type: Boolean }, { default: false, description });

/** What AutoMem's clients send besides. As with AutoMem, what cannot be read is as if it had not come. */
export class AutoMemRecallFields extends WorkspaceField {
  @Lenient(
    (given) => lenientText(given, LONGEST_WORDS),
    { type: String },
    {
      description:
        'What the caller is doing, as a label or in words: memories with such tags or words rank higher',
      example: 'coding-style',
    },
  )
  context?: string;

  @Lenient((given) => lenientTexts(given, MOST_TYPES, LONGEST_NAME), texts(MOST_TYPES), {
    description: 'Memories of these types rank higher; nothing is left out',
  })
  context_types?: string[];

  @Lenient(
    (given) => lenientText(given, LONGEST_NAME),
    { type: String },
    {
      description:
        "Of programming: memories that have it as a tag or a word rank higher. Of people (a code, as de, or a name): the question's words are read in it",
      example: 'typescript',
    },
  )
  language?: string;

  @Lenient(
    (given) => lenientText(given, LONGEST_WORDS),
    { type: String },
    {
      description:
        'The file that is being worked on: its language and its names rank memories higher, as context does',
      example: 'src/billing/invoice.ts',
    },
  )
  active_path?: string;

  @Lenient((given) => lenientTexts(given, MOST_IDS, LONGEST_NAME), texts(MOST_IDS), {
    description:
      'Ids of memories that come first, in this order and whatever they score, where they are there and pass the filters; others are passed over',
  })
  priority_ids?: string[];

  @Switch(
    'A question that holds several is also asked part by part; a memory counts by the best. The answer says in queries what was asked',
  )
  auto_decompose = false;

  @Lenient(
    (given) => countIn(lenientNumber(given)),
    { type: 'integer', minimum: 1, maximum: MOST_EACH },
    { description: 'At most so many by each wording' },
  )
  per_query_limit?: number;

  @Switch(
    'Where the tags leave fewer than asked for, memories without them fill up, after the others and marked outside_tag_scope',
  )
  scope_fallback = false;

  @Lenient(
    floorIn,
    { type: Boolean },
    {
      default: false,
      description:
        'Leaves out the long tail: below half of the best score, and after a drop of a quarter of it at once. A number between 0 and 1: below that share of the best score',
    },
  )
  adaptive_floor: boolean | number = false;

  @Switch('Says in state_filter what was superseded by what')
  state_debug = false;

  @Switch(
    'After the results, memories that name what one of them names, first what the fewest name: each says in expanded_from_entity what that is',
  )
  expand_entities = false;

  @Lenient(
    (given) => lenientText(given, LONGEST_NAME),
    { type: String },
    { description: "How AutoMem's bridge prints what it got: taken, and without effect on this answer" },
  )
  format?: string;
}

/** The nearest that there may be. */
function countIn(number: number | undefined): number | undefined {
  return number === undefined ? undefined : Math.min(MOST_EACH, Math.max(1, Math.trunc(number)));
}

function floorIn(given: unknown): boolean | number | undefined {
  const flag = lenientFlag(given);
  const share = lenientNumber(given);
  return flag ?? (share !== undefined && share > 0 && share < 1 ? share : undefined);
}
