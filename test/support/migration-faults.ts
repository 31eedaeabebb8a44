import { statementsOf } from '../../src/platform/database/migrations.js';

/** The contracting step says since which release no code reads what it takes away. */
const UNUSED = /^-- unused since \S+/m;
const TAKES_AWAY = 'takes away what older code still uses';
/** As few as there are tenants, and nobody else's: they keep nobody waiting. */
const NEW_ROWS = /^-- a new row for each tenant\b/m;
const ADDS_ROWS = 'adds rows: that is a job, in batches, unless it is a new row for each tenant, and says so';
/** What `docs/adding-a-migration.md` asks of a statement, each with the sentence that refuses it. */
const REFUSED: [pattern: RegExp, why: string][] = [
  [/\b(?:DROP|RENAME)\s+COLUMN\b|\bRENAME\s+TO\b|^DROP\s+TABLE\b/i, TAKES_AWAY],
  [
    /\bALTER\s+COLUMN\s+\S+\s+(?:SET\s+DATA\s+)?TYPE\b/i,
    'rewrites the table under a lock that shuts readers out',
  ],
  [/\bALTER\s+COLUMN\s+\S+\s+SET\s+NOT\s+NULL\b/i, 'reads the table under a lock that shuts readers out'],
  [/^(?:LOCK|TRUNCATE|CLUSTER|REINDEX|VACUUM)\b/i, 'shuts readers or writers out'],
  [/\block_timeout\b/i, 'sets the lock_timeout, which is the same for all files'],
  [/^(?:SET\s+(?!LOCAL)|RESET\s+(?!ROLE))/i, 'changes the connection for what comes after'],
  [/^(?:UPDATE|DELETE)\b/i, 'changes rows: that is a job, in batches, as no row may be locked for long'],
  [/^INSERT\b/i, ADDS_ROWS],
];

/**
 * What is wrong with a migration that is to run while older servers read and write; nothing: []. A check of words, so it
 * finds what is usually done wrong and not everything that could be.
 */
export function migrationFaults(sql: string): string[] {
  const oneByOne = /^-- one by one\b/.test(sql);
  const statements = statementsOf(sql).map((statement) => statement.replace(/\s+/g, ' '));
  const made = new Set(statements.flatMap((each) => /^CREATE TABLE (\w+)/i.exec(each)?.[1] ?? []));
  const dropped = new Set<string>();
  const faults: string[] = [];
  for (const statement of statements) {
    const refuse = (why: string): void => void faults.push(`${statement.slice(0, 60)}: ${why}`);
    const altered = /^ALTER TABLE (?:ONLY )?(\w+)/i.exec(statement)?.[1];
    if (altered !== undefined && made.has(altered)) continue;
    for (const [pattern, why] of REFUSED) {
      const allowed = (why === TAKES_AWAY && UNUSED.test(sql)) || (why === ADDS_ROWS && NEW_ROWS.test(sql));
      if (pattern.test(statement) && !allowed) refuse(why);
    }
    for (const column of statement.match(/ADD COLUMN .*?(?=, (?:ADD|ALTER) |$)/gi) ?? []) {
      if (/\bNOT NULL\b/i.test(column) && !/\bDEFAULT\b/i.test(column)) {
        refuse('asks older code for a column that it does not know: give it a default');
      }
      if (/DEFAULT (?:gen_random_uuid|random|clock_timestamp|nextval|timeofday)\b/i.test(column)) {
        refuse('rewrites the table: its default is another for each row');
      }
      if (/\b(?:REFERENCES|UNIQUE|PRIMARY KEY|CHECK)\b/i.test(column)) {
        refuse('checks every row under its lock: add the constraint by itself, NOT VALID');
      }
    }
    if (/\bADD CONSTRAINT\b/i.test(statement) && !/\bNOT VALID\b|\bUSING INDEX\b/i.test(statement)) {
      refuse('checks every row under its lock: NOT VALID, then VALIDATE in a file of its own');
    }
    const index =
      /^CREATE (?:UNIQUE )?INDEX (CONCURRENTLY )?(?:IF NOT EXISTS )?(\w+) ON (?:ONLY )?(\w+)/i.exec(
        statement,
      );
    if (index !== null) {
      const [, concurrently, name = '', table = ''] = index;
      if (concurrently === undefined && !made.has(table))
        refuse('shuts writers out: CONCURRENTLY, in a file that runs one by one');
      if (concurrently !== undefined && !oneByOne)
        refuse('cannot be in a transaction: begin the file with `-- one by one`');
      if (concurrently !== undefined && !dropped.has(name)) {
        refuse(`cannot be run again: first DROP INDEX CONCURRENTLY IF EXISTS ${name}`);
      }
    }
    const gone = /^DROP INDEX (CONCURRENTLY )?(?:IF EXISTS )?(\w+)/i.exec(statement);
    if (gone !== null && gone[1] === undefined) refuse('waits for readers and shuts them out: CONCURRENTLY');
    if (gone?.[2] !== undefined) dropped.add(gone[2]);
    if (oneByOne && index === null && gone === null) refuse('needs no file that runs one by one');
  }
  if (/VALIDATE CONSTRAINT/i.test(sql) && /NOT VALID/i.test(sql)) {
    faults.push(
      'VALIDATE in a file of its own: here it would keep the lock of the one that adds the constraint',
    );
  }
  return faults;
}
