import { SettingsError } from './environment.js';
import type { Settings } from './settings.js';

/**
 * Servers that are parsed but have no adapter yet. To run embedded where somebody asked for a server
 * would put data where nobody looks for it, so the start is refused. Delete a line as its adapter lands.
 */
export function refuseWhatIsNotBuilt(settings: Settings): void {
  if (settings.qdrant !== null) throw new SettingsError('QDRANT_URL', notYet);
  if (settings.falkordb !== null) throw new SettingsError('FALKORDB_URL', notYet);
}

const notYet = 'has no adapter in this version: leave it out to use the embedded one';
