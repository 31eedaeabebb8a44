/** Tags are kept as they come, and are the same however they are written: 'Backend' is found as 'backend'. */
export function comparedTag(tag: string): string {
  return tag.toLowerCase();
}

/** The same in SQL, of the column `tags`. */
export const COMPARED_TAGS = 'ARRAY(SELECT lower(tag) FROM unnest(tags) AS tag)';
