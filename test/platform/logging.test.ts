import { describeError, openLog, withoutSecrets } from '../../src/platform/logging/log.js';
import { NestLog } from '../../src/platform/logging/nest-log.js';
import { readable } from '../../src/platform/logging/readable-lines.js';
import { logReply } from '../../src/platform/logging/request-log.js';

type Line = Record<string, unknown>;

function recorded(logLevel: 'debug' | 'info' = 'info') {
  const lines: Line[] = [];
  const sink = { write: (line: string) => void lines.push(JSON.parse(line) as Line) };
  return { lines, log: openLog({ mode: 'production', logLevel }, sink) };
}

describe('a log line', () => {
  it('hides what must not be written, on the first two levels', () => {
    const { lines, log } = recorded();
    log.info(
      { token: 'hunter2', headers: { authorization: 'hunter2' }, memory: { content: 'hunter2' }, id: 1 },
      'x',
    );
    expect(JSON.stringify(lines)).not.toContain('hunter2');
    expect(lines[0]).toMatchObject({ level: 'info', msg: 'x', id: 1, token: '[redacted]' });
  });

  it('describes an error without what it carries along', () => {
    const error = Object.assign(new Error('no route to postgres://loci:hunter2@db/loci'), {
      code: 'X1',
      parameters: ['hunter2'],
      cause: new Error('key loci_live_abc_hunter2 with Bearer hunter2'),
    });
    expect(describeError(error)).toMatchObject({ type: 'Error', code: 'X1', cause: { type: 'Error' } });
    expect(JSON.stringify(describeError(error))).not.toContain('hunter2');
    expect(withoutSecrets('plain words: a@b.co http://x:1/y')).toBe('plain words: a@b.co http://x:1/y');
  });

  it('survives an error that is its own cause', () => {
    const error: Error & { cause?: unknown } = new Error('round');
    error.cause = error;
    expect(() => JSON.stringify(describeError(error))).not.toThrow();
  });

  it('is readable on a terminal', () => {
    const line = JSON.stringify({
      level: 'warn',
      time: '2026-01-31T09:30:00.123Z',
      msg: 'slow',
      ms: 12,
      tenant: 'acme',
    });
    expect(readable(line).replace(/\u001b\[\d+m/g, '')).toBe('09:30:00.123 warn  slow ms=12 tenant=acme\n');
  });
});

describe("Nest's own lines", () => {
  it('are for debugging while all is well, and errors keep their stack', () => {
    const quiet = recorded('info');
    new NestLog(quiet.log).log('Mapped {/x, GET} route', 'RouterExplorer');
    expect(quiet.lines).toEqual([]);
    const { lines, log } = recorded('debug');
    const nest = new NestLog(log);
    nest.log('Mapped {/x, GET} route', 'RouterExplorer');
    nest.error(new Error('broke'), 'Injector');
    nest.error('told', 'Error: told\n    at x', 'Injector');
    expect(lines).toMatchObject([
      { level: 'debug', from: 'RouterExplorer' },
      { level: 'error', msg: 'broke', err: { stack: expect.stringContaining('at ') } },
      { level: 'error', msg: 'told', from: 'Injector', err: { stack: 'Error: told\n    at x' } },
    ]);
  });
});

describe('the line after a reply', () => {
  it('is left out for most successes where sampling is set, and never for a failure', () => {
    const { lines, log } = recorded();
    const facts = { requestId: 'r', startedAt: 0 };
    for (let i = 0; i < 30; i++) logReply(log, { method: 'GET', route: '/x', status: 200, ms: 1, facts }, 10);
    expect(lines).toHaveLength(3);
    for (const status of [404, 429, 500, 503])
      logReply(log, { method: 'GET', route: '/x', status, ms: 1, facts }, 10);
    expect(lines.slice(3).map(({ level }) => level)).toEqual(['info', 'warn', 'error', 'warn']);
  });
});
