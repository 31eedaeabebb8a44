/** Tags are kept as they come, without spaces around them, and are the same however they are written: 'Backend' is found as ' backend'. */
export function comparedTag(tag: string): string {
  return tag.trim().toLowerCase();
}

/** The same in SQL, of the column `tags`. */
export const COMPARED_TAGS = 'ARRAY(SELECT lower(tag) FROM unnest(tags) AS tag)';
