/** Tags are kept as they come, without spaces around them, and are the same however they are written: 'Backend' is found as ' backend'. */
export function comparedTag(tag: string): string {
  return tag.trim().toLowerCase();
}

/**
 * The same in SQL, of an array. PostgreSQL's small letters are not JavaScript's in every language (a Σ that ends a word, İ),
 * nor in every database: what is asked for there is made small there, too.
 */
function comparedIn(tags: string): string {
  return `ARRAY(SELECT lower(tag) FROM unnest(${tags}) AS tag)`;
}

/** Of the column `tags`. */
export const COMPARED_TAGS = comparedIn('tags');

/** Whether the column `tags` shares one with an array. */
export function sharesTag(asked: string): string {
  return `(${COMPARED_TEXT} LIKE ANY (${patternsOf(asked)}) AND ${COMPARED_TAGS} && ${comparedIn(asked)})`;
}

/** Whether it has all of it. */
export function hasTags(asked: string): string {
  return `(${COMPARED_TEXT} LIKE ALL (${patternsOf(asked)}) AND ${COMPARED_TAGS} @> ${comparedIn(asked)})`;
}

// No index helps here: row-level security allows one only to what is leakproof, and comparing arrays is not. So nearly every
// row is passed over by its tags as one text, at a third of what comparing them one by one costs.
const COMPARED_TEXT = `lower(array_to_string(tags, E'\\n'))`;

function patternsOf(asked: string): string {
  return `ARRAY(SELECT '%' || regexp_replace(lower(tag), '([\\\\%_])', '\\\\\\1', 'g') || '%' FROM unnest(${asked}) AS tag)`;
}
