import ipaddr from 'ipaddr.js';

/** Addresses of the public range that answer for a cloud's own machinery. Azure's: it hands out a machine's secrets. */
const MACHINERY = new Set(['168.63.129.16']);

/**
 * Is this IP address one of the public internet's? Not: private, loopback, link-local (a cloud's metadata), shared,
 * reserved, multicast, documentation, and IPv6 forms that carry an IPv4 address to translate.
 */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  // An IPv4 address inside an IPv6 one (::ffff:10.0.0.1) is judged as what it is.
  const parsed = ipaddr.process(address);
  if (parsed.range() !== 'unicast' || MACHINERY.has(parsed.toString())) return false;
  // Of IPv6 only 2000::/3 has been given out; ::7f00:1 is nobody's, and to some systems 127.0.0.1.
  return !(parsed instanceof ipaddr.IPv6) || ((parsed.parts[0] ?? 0) & 0xe000) === 0x2000;
}
