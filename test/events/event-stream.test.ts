import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Response } from 'express';
import type { EventPage, TimedEvent } from '../../src/modules/events/event-pages.service.js';
import { EventStream } from '../../src/modules/events/event-stream.js';
import { OpenStreams } from '../../src/modules/events/open-streams.js';
import type { TenantId, WorkspaceId } from '../../src/tenancy/tenant.js';
import { eventually } from '../spaces/rules/projected.js';

const SECOND = { pingMs: 1_000_000, slowMs: 1_000_000, retryMs: 10 };
const CONTENT = 'x'.repeat(20_000);

/** A ledger in which something happens at every revision up to the newest. */
function ledgerOf(newest: number): { asked: number[]; next(after: number): Promise<EventPage> } {
  const asked: number[] = [];
  return {
    asked,
    next: (after) => {
      asked.push(after);
      const to = Math.min(newest, after + 50);
      const events = Array.from({ length: to - after }, (_, i): TimedEvent => {
        const item = { workspace: 'w' as WorkspaceId, kind: 'memory', id: String(after + i + 1) } as const;
        return { ...item, revision: after + i + 1, gone: true, at: null, name: 'memory.deleted' };
      });
      return Promise.resolve({ events, to, newest, more: to < newest });
    },
  };
}

describe('one stream', () => {
  const servers: Server[] = [];

  afterEach(() => {
    for (const server of servers.splice(0)) {
      server.close();
      server.closeAllConnections();
    }
  });

  /** Over a real connection: what a reader does not read fills its buffers. */
  async function serve(
    next: (after: number) => Promise<EventPage>,
    times: typeof SECOND,
  ): Promise<{ stream: EventStream; reading: IncomingMessage }> {
    const opened: EventStream[] = [];
    const server = createServer((_request, response) => {
      // As much of Express as is used.
      const status = (code: number) => Object.assign(response, { statusCode: code });
      const express = Object.assign(response, { status }) as unknown as Response;
      const stream = new EventStream(express, next, ({ id }) => ({ id, CONTENT }), 0, times);
      stream.begin({}, null);
      void stream.run(true);
      opened.push(stream);
    }).listen(0, '127.0.0.1');
    servers.push(server);
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const asking = request({ port, host: '127.0.0.1' }).end();
    const [reading] = (await once(asking, 'response')) as [IncomingMessage];
    reading.on('error', () => undefined);
    const [stream] = opened;
    if (stream === undefined) throw new Error('Nothing was opened');
    return { stream, reading };
  }

  it('reads no further ahead than its reader, and tells all that there is in the end', async () => {
    const ledger = ledgerOf(2_000);
    const { reading } = await serve(ledger.next, SECOND);
    await eventually('the buffers are full', async () => {
      const before = ledger.asked.length;
      await new Promise((resume) => setTimeout(resume, 200));
      return ledger.asked.length === before;
    });
    expect(ledger.asked.length).toBeLessThan(40);
    const ids = new Set<string>();
    let text = '';
    reading.setEncoding('utf8').on('data', (more: string) => {
      text += more;
      const whole = text.lastIndexOf('\n\n');
      for (const [, id = ''] of text.slice(0, whole).matchAll(/^data: \{"id":"(\d+)"/gm)) ids.add(id);
      text = text.slice(whole);
    });
    await eventually('everything is read', () => Promise.resolve(ids.size === 2_000));
  });

  it('lets go who reads nothing', async () => {
    const ledger = ledgerOf(1_000_000);
    const { stream, reading } = await serve(ledger.next, { ...SECOND, slowMs: 50 });
    const ended = new Promise<void>((resolve) => stream.onEnd(resolve));
    await ended;
    reading.resume();
    await new Promise((resolve) => reading.once('close', resolve));
    expect(ledger.asked.length).toBeLessThan(1_000);
  });

  it('goes on after the ledger was away', async () => {
    const ledger = ledgerOf(3);
    let times = 0;
    const { reading } = await serve(
      (after) => (++times < 4 ? Promise.reject(new Error('away')) : ledger.next(after)),
      SECOND,
    );
    let text = '';
    reading.setEncoding('utf8').on('data', (more: string) => (text += more));
    await eventually('all is told', () => Promise.resolve(text.includes('"id":"3"')));
    expect(times).toBe(4);
  });

  it('sends a sign of life, with the id from which to go on', async () => {
    const { reading } = await serve(ledgerOf(7).next, { ...SECOND, pingMs: 20 });
    let text = '';
    reading.setEncoding('utf8').on('data', (more: string) => (text += more));
    await eventually('two pings', () => Promise.resolve(text.split(': ping\nid: 7\n\n').length > 2));
  });

  it('ends when its reader goes', async () => {
    const { stream, reading } = await serve(ledgerOf(1).next, SECOND);
    const ended = new Promise<void>((resolve) => stream.onEnd(resolve));
    reading.destroy();
    await ended;
  });
});

describe('the places of streams', () => {
  it('are no more than a server holds, whoever asks', () => {
    const streams = new OpenStreams({ perTenant: 2, inAll: 3 });
    const first = streams.take('a' as TenantId);
    streams.take('a' as TenantId);
    expect(() => streams.take('a' as TenantId)).toThrow(expect.objectContaining({ code: 'stream.too_many' }));
    streams.take('b' as TenantId);
    expect(() => streams.take('c' as TenantId)).toThrow(expect.objectContaining({ code: 'stream.full' }));
    first.give();
    expect(streams.size).toBe(2);
    expect(() => streams.take('c' as TenantId)).not.toThrow();
  });
});
