import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ADMIN_TOKEN, Loci } from '../support/loci.js';
import { scratchFolder } from '../support/scratch-folder.js';

const root = join(__dirname, '../..');

/** All that a page tells its reader to type, in order. */
function commandsOf(page: string): string {
  const text = readFileSync(join(root, 'docs', page), 'utf8');
  return [...text.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, commands]) => commands).join('\n');
}

describe('the guides', () => {
  let loci: Loci;
  let scratch: Awaited<ReturnType<typeof scratchFolder>>;

  beforeAll(async () => {
    scratch = await scratchFolder();
    loci = await Loci.start();
  });
  afterAll(async () => {
    await loci.stop();
    await scratch.remove();
  });

  it.each(['memory.md', 'onboarding-a-customer.md', 'troubleshooting.md'])(
    'docs/%s tells commands that work, one after the other, and leave nothing',
    async (page) => {
      const script = [
        'set -euo pipefail',
        `loci() { '${process.execPath}' '${join(root, 'dist/cli.js')}' "$@"; }`,
        commandsOf(page).replaceAll(/^scripts\//gm, `${root}/scripts/`),
      ].join('\n');
      const { error, stdout, stderr } = await new Promise<{
        error: Error | null;
        stdout: string;
        stderr: string;
      }>((resolve) =>
        execFile(
          'bash',
          ['--norc', '-c', script],
          {
            cwd: scratch.path,
            env: { PATH: process.env['PATH'] ?? '', BASE_URL: loci.url, ADMIN_TOKEN },
          },
          (failure, out, err) => resolve({ error: failure, stdout: out, stderr: err }),
        ),
      );
      expect({ failed: error !== null, stdout, stderr }).toMatchObject({ failed: false, stderr: '' });
      const { body } = await loci.operator.get<{ data: { tenant_id: string }[] }>('/admin/tenants');
      expect(body.data.map(({ tenant_id }) => tenant_id)).toEqual(['default']);
    },
  );

  it('name only error codes that there are', () => {
    const errors = readFileSync(join(root, 'docs/errors.md'), 'utf8');
    const codes = [...errors.matchAll(/^## (\S+)$/gm)].map(([, code = '']) => code);
    const nouns = new Set(codes.map((code) => code.split('.')[0] ?? ''));
    const text = readFileSync(join(root, 'docs/troubleshooting.md'), 'utf8');
    const named = [...text.matchAll(/`([a-z_]+(?:\.[a-z_]+)?)`/g)].map(([, code = '']) => code);
    const meant = named.filter((code) => nouns.has(code.split('.')[0] ?? ''));
    expect(meant.length).toBeGreaterThan(5);
    expect(meant.filter((code) => !codes.includes(code))).toEqual([]);
  });

  it('link only to what is there', () => {
    const pages = [
      'README.md',
      'CONTRIBUTING.md',
      ...[
        'deployment',
        'production-checklist',
        'onboarding-a-customer',
        'adding-an-endpoint',
        'adding-a-migration',
        'troubleshooting',
      ].map((name) => `docs/${name}.md`),
    ];
    const broken = pages.flatMap((page) => {
      const text = readFileSync(join(root, page), 'utf8');
      return [...text.matchAll(/\]\(([^)#\s]*)(?:#([^)\s]+))?\)/g)].flatMap(([link, path = '', anchor]) => {
        if (/^[a-z]+:/.test(path)) return [];
        const target = path === '' ? join(root, page) : join(root, page, '..', path);
        try {
          const linked = readFileSync(target, 'utf8');
          return anchor === undefined || anchorsOf(linked).includes(anchor) ? [] : [`${page}: ${link}`];
        } catch (error) {
          return (error as NodeJS.ErrnoException).code === 'EISDIR' ? [] : [`${page}: ${link}`];
        }
      });
    });
    expect(broken).toEqual([]);
  });
});

/** As GitHub makes them of headings. */
function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
