/** What the command line's exit codes mean; `loci --help` says the same. */
export const EXIT = { ok: 0, refused: 1, usage: 2, away: 3, different: 4 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** What the server answered where it refused. */
export interface Refusal {
  status: number;
  code: string;
  errors: { location: string; message: string }[];
  /** How long it asks to be left alone; null: it does not say. */
  retryAfterMs: number | null;
}

/** Why a command ends without its result: what is told to people in one line, and in a second what to report or do. */
export class CommandFailed extends Error {
  constructor(
    readonly exitCode: ExitCode,
    message: string,
    readonly more: string | null = null,
    /** Null: nothing of Loci's answered. */
    readonly refusal: Refusal | null = null,
  ) {
    super(message);
    this.name = 'CommandFailed';
  }
}
