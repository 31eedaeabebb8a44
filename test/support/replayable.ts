import fc from 'fast-check';

const { LOCI_TEST_SEED: givenSeed, LOCI_TEST_PATH: path, LOCI_TEST_LONG: long } = process.env;
/** Times as many runs in `npm run test:long`. */
const LONGER = 25;

/** The seed of every property of a suite: a new one in each run, unless LOCI_TEST_SEED names the one to play again. */
const SEED = givenSeed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(givenSeed);

/** For a suite that makes the same of every run, in CI: `npm run test:long` and LOCI_TEST_SEED come before. */
export function seedInCi(fixed: number): number {
  return givenSeed === undefined && long !== '1' ? fixed : SEED;
}

/**
 * Holds a property for so many runs, and prints the seed that chose them, the order in which a scheduler let promises go
 * on included. Where it fails, the error says how to play the same failure again: LOCI_TEST_SEED, and LOCI_TEST_PATH to go
 * straight to the run that failed. It is made smaller again from there, in the same way: the path of what was made
 * smaller would lead to the same story in another order, as schedulers lend their random numbers to their copies
 * (fast-check 4.10.2).
 */
export async function holds<Arguments>(
  property: fc.IAsyncPropertyWithHooks<Arguments>,
  runs: number,
  { seed = SEED, endOnFailure = false } = {},
): Promise<void> {
  const { currentTestName: name = '' } = expect.getState();
  process.stderr.write(`LOCI_TEST_SEED=${seed}  ${name}\n`);
  await fc.assert(property as fc.IAsyncProperty<Arguments>, {
    seed,
    endOnFailure,
    numRuns: long === '1' ? runs * LONGER : runs,
    ...(path === undefined ? {} : { path }),
    asyncReporter: async (details) => {
      if (!details.failed) return;
      const [run = '0'] = (details.counterexamplePath ?? '').split(':');
      const again = `LOCI_TEST_SEED=${details.seed} LOCI_TEST_PATH=${run} npm test -- -t '${name}'`;
      const why = String(details.errorInstance);
      throw new Error(`${await fc.asyncDefaultReportMessage(details)}\n\n${why}\n\nAgain: ${again}`);
    },
  });
}
