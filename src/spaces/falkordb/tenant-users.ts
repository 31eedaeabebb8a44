import { createHmac } from 'node:crypto';
import type { SpaceAddress } from '../projection.js';
import type { Login } from './server-address.js';

/** What the tenants' passwords are derived from. Another version gives other passwords: that rotates them. */
export interface UserSecret {
  key: Buffer;
  version: number;
}

const COMMANDS = ['graph.query', 'graph.ro_query', 'graph.delete'];
/** Part of what passwords are derived from: users made under older rules are refused, and so made anew. */
const RULES = `1 ${COMMANDS.join(' ')}`;

/**
 * The store's own wall: a user for each tenant, whose key pattern is its one graph and whose commands are the three
 * that a space needs. Nobody keeps the passwords: they are derived, and the store has their hashes.
 */
export class TenantUsers {
  constructor(private readonly secret: UserSecret) {}

  login({ tenant, name }: SpaceAddress): Login {
    const password = createHmac('sha256', this.secret.key)
      .update(`falkordb user|${RULES}|${this.secret.version}|${tenant}|${name}`)
      .digest('base64url');
    return { key: `${tenant}/${name}`, username: name, password };
  }

  /** For the operator's connection: makes the user, or makes it what it should be. */
  making(address: SpaceAddress): string[] {
    const { password } = this.login(address);
    const commands = COMMANDS.map((command) => `+${command}`);
    // A space's name has none of the signs that mean something in a pattern.
    return ['ACL', 'SETUSER', address.name, 'reset', 'on', `>${password}`, `~${address.name}`, ...commands];
  }

  /** Ends the user's connections too, everywhere. */
  removing(address: SpaceAddress): string[] {
    return ['ACL', 'DELUSER', address.name];
  }
}
