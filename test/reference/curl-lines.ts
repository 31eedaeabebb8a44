import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What a line of a document printed, and curl's own word for the answer. */
export interface Printed {
  status: number;
  body: Record<string, unknown>;
}

/** Runs lines as they stand in a document, in a shell, with the real curl. */
export class CurlLines {
  private constructor(private readonly home: string) {}

  /** `token`: sent with every line, for a document whose lines name none. Null: this machine has no curl. */
  static async with(token: string | null): Promise<CurlLines | null> {
    if (!(await hasCurl())) return null;
    const home = await mkdtemp(join(tmpdir(), 'loci-curl-'));
    const lines = [
      'silent',
      'write-out = "\\n%{http_code}"',
      ...(token === null ? [] : [`header = "Authorization: Bearer ${token}"`]),
    ];
    await writeFile(join(home, '.curlrc'), `${lines.join('\n')}\n`);
    return new CurlLines(home);
  }

  /** `replaced`: what is another here than in the document: the address, tokens, ids that the server made. */
  async run(line: string, replaced: Record<string, string> = {}): Promise<Printed> {
    let text = line;
    for (const [before, after] of Object.entries(replaced)) text = text.replaceAll(before, after);
    const printed = await shell(text, { HOME: this.home, CURL_HOME: this.home });
    const [, body = '', status = ''] = /^(.*)\n(\d{3})$/s.exec(printed) ?? [];
    return { status: Number(status), body: JSON.parse(body) as Record<string, unknown> };
  }

  remove(): Promise<void> {
    return rm(this.home, { recursive: true });
  }
}

async function hasCurl(): Promise<boolean> {
  return shell('curl --version', {}).then(
    () => true,
    () => false,
  );
}

function shell(line: string, env: Record<string, string>): Promise<string> {
  const child = spawn('sh', ['-c', line], { env: { PATH: process.env['PATH'], ...env } });
  return new Promise((resolve, reject) => {
    let out = '';
    let errors = '';
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    child.once('error', reject);
    child.once('close', (code) =>
      code === 0 ? resolve(out) : reject(new Error(`${line} ended with ${code}: ${errors}`)),
    );
  });
}
