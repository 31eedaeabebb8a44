import { parseArgs } from 'node:util';

/** What was asked for cannot be: one line for the caller, no stack. */
export class Refused extends Error {}

/**
 * The command line as text options and flags; `--url` and its variable LOCI_URL name a server that runs already.
 * `texts` maps each option to its default, `flags` names those without a value.
 */
export function readOptions(texts, flags = []) {
  const options = { url: { type: 'string', default: process.env.LOCI_URL || undefined } };
  for (const [name, fallback] of Object.entries(texts)) {
    options[name] = { type: 'string', ...(fallback === undefined ? {} : { default: String(fallback) }) };
  }
  for (const name of flags) options[name] = { type: 'boolean', default: false };
  try {
    return parseArgs({ options, strict: true }).values;
  } catch (error) {
    throw new Refused(
      `${error.message}\nOptions: ${Object.keys(options)
        .map((name) => `--${name}`)
        .join(' ')}`,
    );
  }
}

export function count(options, name, { min = 1, max = 1_000_000 } = {}) {
  const value = Number(options[name]);
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new Refused(`--${name} must be a whole number from ${min} to ${max}`);
  }
  return value;
}

/** Runs a benchmark; what it refuses is told in one line. */
export async function run(main) {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
