import { readEnvironment } from '../platform/config/environment.js';
import type { CommandFailed, ExitCode } from './command-failed.js';
import { EXIT } from './command-failed.js';
import { Connection } from './connection.js';
import { LociApi, type Reply } from './loci-api.js';
import { ProgressBar } from './progress-bar.js';
import { table, type Column } from './table.js';
import { oneLine } from './terminal-text.js';
import { typedWord } from './typed-word.js';

/** What one run of the command line works with. Nothing is read before a command needs it: help needs nothing. */
export class Session {
  /** How the run ends where nothing failed outright. */
  exitCode: ExitCode = EXIT.ok;
  private known: Connection | undefined;

  /** For an operator's routes. Throws `CommandFailed`, `SettingsError`. */
  operator(): LociApi {
    return new LociApi(this.connection.url, this.connection.adminToken());
  }

  /** Whether the environment has a tenant's key. Throws `SettingsError`. */
  get hasKey(): boolean {
    return this.connection.hasApiKey;
  }

  /** For the routes of the tenant whose key this is. */
  withKey(key: string): LociApi {
    return new LociApi(this.connection.url, key);
  }

  /** The slug of the tenant that every installation has. */
  get defaultTenant(): string {
    return this.connection.defaultTenant;
  }

  /** For routes that a tenant and its operator share: as the operator of the named one, or as the tenant whose key is set. */
  of(tenant: string | undefined): LociApi {
    if (tenant === undefined) return this.tenant();
    return new LociApi(this.connection.url, this.connection.adminToken(), tenant);
  }

  /** For a tenant's own routes. Throws `CommandFailed`, `SettingsError`. */
  tenant(): LociApi {
    return new LociApi(this.connection.url, this.connection.apiKey());
  }

  /** For routes that need no token. Throws `SettingsError`. */
  anyone(): LociApi {
    return new LociApi(this.connection.url, null);
  }

  /** The reply as it came where that was asked for, otherwise for people. */
  show<Body>(reply: Reply<Body>, json: boolean, forPeople: (body: Body) => string): void {
    this.print(json ? `${reply.text}\n` : forPeople(reply.body));
  }

  print(text: string): void {
    process.stdout.write(text);
  }

  /** Rows for people; `none` where there are none. */
  table<Row>(rows: readonly Row[], columns: readonly Column<Row>[], none: string): string {
    const width = (process.stdout.isTTY && process.stdout.columns) || null;
    return rows.length === 0 ? `${none}\n` : table(rows, columns, width);
  }

  complain({ message, more }: CommandFailed, about: string | null = null): void {
    const subject = about === null ? 'error' : `error: ${oneLine(about)}`;
    process.stderr.write(`${subject}: ${oneLine(message)}\n`);
    if (more !== null) process.stderr.write(`       ${oneLine(more)}\n`);
  }

  /** What is worth knowing and no fault. */
  remark(text: string): void {
    process.stderr.write(`${oneLine(text)}\n`);
  }

  bar(): ProgressBar {
    return new ProgressBar(process.stderr);
  }

  /** Whether somebody is there to be asked. */
  get isAttended(): boolean {
    return process.stdin.isTTY && process.stderr.isTTY;
  }

  /** Asked on stderr: stdout is for the result. */
  confirm(word: string, question: string): Promise<boolean> {
    return typedWord(word, question, process.stdin, process.stderr);
  }

  private get connection(): Connection {
    this.known ??= new Connection(readEnvironment('.env'));
    return this.known;
  }
}
