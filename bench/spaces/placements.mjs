import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The file that LOCI_PLACEMENTS names. */
export function writePlacements(folder, placements) {
  const path = join(folder, 'placements.json');
  writeFileSync(path, JSON.stringify(placements));
  return path;
}
