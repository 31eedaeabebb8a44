import { randomBytes } from 'node:crypto';
import type { Reply } from '../support/loci.js';
import type { Dweller } from './palace.js';

const PACE_MS = 4;
/** After a refusal, and after a connection that broke. */
const PAUSE_MS = 60;

/** A memory as its writer was told that it is. */
export interface Kept {
  dweller: Dweller;
  id: string;
  /** Null: deleted. */
  content: string | null;
}

export interface KeptRelation {
  dweller: Dweller;
  from: string;
  to: string;
}

/**
 * Writers and readers at once. What a writer was told is kept, so that it can be asked for afterwards; what it was not told
 * (the connection broke, or a 503) may be either way and is not asked for. Any other answer is a fault of the server's.
 */
export class Load {
  /** By id. */
  readonly kept = new Map<string, Kept>();
  readonly relations: KeptRelation[] = [];
  /** Answers that no outage excuses. */
  readonly faults: string[] = [];
  /** Milliseconds that the slowest answer to a recall took, and how often a recall was answered. */
  readonly reads = { slowestMs: 0, answered: 0, degraded: 0, refused: 0 };
  acknowledged = 0;
  /** Of the acknowledged memories those whose projections were behind; and writes that were told to come back. */
  unindexed = 0;
  refused = 0;
  private going = true;
  private readonly work: Promise<void>[];

  constructor(dwellers: Dweller[], { writers = 4, readers = 2 } = {}) {
    const pick = (at: number): Dweller => {
      const one = dwellers[at % dwellers.length];
      if (one === undefined) throw new Error('Nobody is there');
      return one;
    };
    this.work = [
      ...Array.from({ length: writers }, (_, at) => this.write(pick(at), at)),
      ...Array.from({ length: readers }, (_, at) => this.read(pick(at))),
    ];
  }

  /** Resolves once so many more writes were acknowledged than now. */
  async acknowledges(more: number): Promise<void> {
    const wanted = this.acknowledged + more;
    for (let waited = 0; this.acknowledged < wanted; waited++) {
      if (waited > 30_000) throw new Error(`Nothing is accepted: ${this.faults.join('; ')}`);
      await sleep(2);
    }
  }

  async stop(): Promise<void> {
    this.going = false;
    await Promise.all(this.work);
  }

  private async write(dweller: Dweller, writer: number): Promise<void> {
    const own: Kept[] = [];
    for (let step = 0; this.going; step++) {
      await sleep(PACE_MS);
      const some = own[(step * 7) % own.length];
      if (step % 10 === 9 && some !== undefined) await this.remove(own, some);
      else if (step % 10 >= 7 && some !== undefined) await this.edit(own, some, writer);
      else if (step % 10 === 6 && own.length > 1) await this.relate(own, step);
      else own.push(...(await this.store(dweller, writer, step % 10 === 5 ? 5 : 1)));
    }
  }

  private async store(dweller: Dweller, writer: number, count: number): Promise<Kept[]> {
    const memories = Array.from({ length: count }, () => ({
      content: newContent(writer),
      session_id: `s-${writer}`,
      tags: [`writer-${writer}`],
    }));
    const reply = await this.ask<{ memory_id?: string; memory_ids?: string[] }>(() =>
      count === 1 ? dweller.post('/memory', memories[0]) : dweller.post('/memory/batch', { memories }),
    );
    if (!this.isTold(reply, 201)) return [];
    const ids = reply.body.memory_ids ?? [reply.body.memory_id ?? ''];
    return ids.map((id, at) => {
      const kept = { dweller, id, content: memories[at]?.content ?? '' };
      this.kept.set(id, kept);
      return kept;
    });
  }

  private async edit(own: Kept[], memory: Kept, writer: number): Promise<void> {
    const content = newContent(writer);
    const reply = await this.ask(() => memory.dweller.patch(`/memory/${memory.id}`, { content }));
    if (this.isTold(reply, 200)) memory.content = content;
    else this.lose(own, memory);
  }

  private async remove(own: Kept[], memory: Kept): Promise<void> {
    const reply = await this.ask(() => memory.dweller.delete(`/memory/${memory.id}`));
    if (this.isTold(reply, 200)) memory.content = null;
    own.splice(own.indexOf(memory), 1);
    if (memory.content !== null) this.kept.delete(memory.id);
  }

  private async relate(own: Kept[], step: number): Promise<void> {
    const [one, other] = [own[step % own.length], own[(step + 1) % own.length]];
    if (one === undefined || other === undefined || one === other) return;
    const order = { memory1_id: one.id, memory2_id: other.id, type: 'LEADS_TO', strength: 0.5 };
    const reply = await this.ask(() => one.dweller.post('/associate', order));
    if (this.isTold(reply, 201)) this.relations.push({ dweller: one.dweller, from: one.id, to: other.id });
  }

  /** What it is now nobody was told. */
  private lose(own: Kept[], memory: Kept): void {
    own.splice(own.indexOf(memory), 1);
    this.kept.delete(memory.id);
  }

  private async read(dweller: Dweller): Promise<void> {
    while (this.going) {
      await sleep(PACE_MS);
      const [some] = [...this.kept.values()].filter(
        (kept) => kept.dweller === dweller && kept.content !== null,
      );
      const query = encodeURIComponent(some?.content ?? 'nothing yet');
      const startedAt = performance.now();
      const reply = await this.ask<{ degraded?: string[] }>(() =>
        dweller.get(`/recall?limit=5&expand_relations=true&query=${query}`),
      );
      if (reply === null) continue;
      this.reads.slowestMs = Math.max(this.reads.slowestMs, performance.now() - startedAt);
      if (reply.status === 200) this.reads.answered++;
      else this.reads.refused++;
      if (reply.status === 200 && reply.body.degraded !== undefined) this.reads.degraded++;
    }
  }

  /** Null: the connection broke. */
  private async ask<Body>(call: () => Promise<Reply<Body>>): Promise<Reply<Body> | null> {
    let reply: Reply<Body>;
    try {
      reply = await call();
    } catch {
      await sleep(PAUSE_MS);
      return null;
    }
    if (reply.status === 503 && reply.headers.get('retry-after') !== null) await sleep(PAUSE_MS);
    else if (reply.status > 201) this.faults.push(`${reply.status} ${JSON.stringify(reply.body)}`);
    return reply;
  }

  private isTold<Body>(reply: Reply<Body> | null, status: number): reply is Reply<Body> {
    if (reply?.status === 503) this.refused++;
    if (reply?.status !== status) return false;
    if ((reply.body as { indexed?: boolean }).indexed === false) this.unindexed++;
    this.acknowledged++;
    return true;
  }
}

/** No two alike, and found by its words alone. */
function newContent(writer: number): string {
  return `Writer ${writer} notes ${randomBytes(6).toString('hex')}`;
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
