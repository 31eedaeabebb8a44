/** Tags are kept as they come, without spaces around them, and are the same however they are written: 'Backend' is found as ' backend'. */
export function comparedTag(tag: string): string {
  return tag.trim().toLowerCase();
}

/**
 * The same in SQL, of an array. PostgreSQL's small letters are not JavaScript's in every language (a Σ that ends a word, İ),
 * nor in every database: what is asked for there is made small there, too.
 */
export function comparedIn(tags: string): string {
  return `ARRAY(SELECT lower(tag) FROM unnest(${tags}) AS tag)`;
}

/** Of the column `tags`. */
export const COMPARED_TAGS = comparedIn('tags');
