import { randomUUID } from 'node:crypto';
import type { Schemas } from '@qdrant/js-client-rest';
import { parseWorkspaceId, type SpaceName, type WorkspaceId } from '../../tenancy/tenant.js';
import type { Digest } from '../digest.js';
import { NOTHING_APPLIED, type Applied, type Batch, type LedgerId, type Watermark } from '../projection.js';
import {
  checkLength,
  VectorSpace,
  type Candidate,
  type EmbeddingModel,
  type Near,
  type NearQuery,
  type HeldMemory,
  type MemoryPoint,
  type VectorItem,
  type VectorQuery,
} from '../vector-space.js';
import type { CollectionSetup } from './collection-setup.js';
import { inEra, inWorkspace, is } from './filters.js';
import { candidatesOf, nearOf, nearSearchesFor, searchesFor } from './hybrid-search.js';
import { pointsOf } from './memory-points.js';
import { digestOfMemory, digestOfPoint } from './point-digest.js';
import { eraOf, modelNames, type ModelNames } from './model-names.js';
import type { QdrantCaller, QdrantConnection } from './qdrant-connection.js';
import { isMissing, QdrantRefusal } from './qdrant-errors.js';
import type { ServerAbilities } from './server-abilities.js';
import { guardedWrites } from './guarded-writes.js';

/** Points with their vectors: some 1 MB of JSON. */
const PAGE = 100;

/** The watermark's point. */
interface Mark {
  /** Null: what is here was built with other terms, and counts as another ledger's. */
  ledger: LedgerId | null;
  revision: number;
  /** Of the points that are here. */
  era: string;
  /** New with every change, so that a watermark that went and came back at the same revision is known for another. */
  stamp: string;
  /** The era that was here before, as long as it is not sure that its points are gone. */
  leftover: string | null;
}

/**
 * One model's part of a tenant's collection. Qdrant has no transactions; what stands in for one:
 *
 * - **Points are guarded one by one.** An upsert carries a filter that lets it change a point only where the point's
 *   revision is older (`guardedWrites`); the server's one update thread for a shard checks and writes in one step. So
 *   writes may come twice, late or in any order: the newest revision of each memory wins, tombstones among them.
 * - **The watermark is a point of its own, changed last**, by a payload update whose filter names the stamp that was read
 *   before. It can neither make the point nor change another's: after a drop, a wipe or a race it does nothing. What
 *   is read back then tells which it was.
 * - **Every request of a batch renews the stamp** as its last step, and the next one builds on it: a server that crashed
 *   between two of them and lost the end of the first has lost that stamp too, and the batch ends as `moved`.
 * - **The first watermark is a claim**: revision 0, inserted only where there is none, before any point is written.
 *   A drop in the middle of a first batch takes the claim with it, and the batch ends as `moved`.
 *
 * So a crash between points and watermark leaves points that are newer than the watermark says: the replay meets its
 * own work and passes over it. The same goes for the loser of two batches that raced from one watermark: its points
 * are true states of the ledger, only early. What is not guaranteed, and is in SQLite: that nobody sees half a batch.
 *
 * Points carry their ledger and the version of their terms, in short as `era`, and have it in their ids, so those of a
 * former ledger, or with former terms, are in nobody's way; they are deleted once the watermark is another's, and never
 * before. An era that is not its ledger's by the terms of today is shown as an empty store: it is built again by replay.
 */
export class QdrantVectorSpace extends VectorSpace {
  private readonly names: ModelNames;

  constructor(
    private readonly connection: QdrantConnection,
    private readonly setup: CollectionSetup,
    private readonly abilities: ServerAbilities,
    private readonly collection: SpaceName,
    private readonly model: EmbeddingModel,
  ) {
    super();
    this.names = modelNames(model);
  }

  async watermark(): Promise<Watermark> {
    const mark = await this.mark();
    return mark === null ? NOTHING_APPLIED : { ledger: mark.ledger, revision: mark.revision };
  }

  /**
   * Rejects with `ItemRefused` where a vector has another length than the model's or is not finite; nothing was
   * written then. Three requests, and one more for each further megabyte of points.
   */
  async apply(batch: Batch<VectorItem>): Promise<Applied> {
    const abilities = await this.abilities.get();
    const points = pointsOf(batch.items, {
      model: this.model,
      names: this.names,
      ledger: batch.ledger,
      abilities,
    });
    const found = await this.mark();
    const { from } = batch;
    if ((found?.ledger ?? null) !== from.ledger || (found?.revision ?? 0) !== from.revision) return 'moved';
    let at = found;
    try {
      const mark = found ?? (await this.claim(batch.ledger));
      if (mark === null) return 'moved';
      const era = eraOf(batch.ledger);
      if (mark.leftover !== null && mark.leftover !== era) await this.forget(mark.leftover);
      const replaced = mark.era === era ? null : mark.era;
      const next: Mark = {
        ledger: batch.ledger,
        era,
        revision: batch.to,
        stamp: randomUUID(),
        leftover: replaced,
      };
      const requests = guardedWrites(points, this.connection.requestBytes);
      at = mark;
      for (const [order, operations] of requests.entries()) {
        const to = order === requests.length - 1 ? next : { ...mark, stamp: randomUUID() };
        await this.write('apply a batch', [...operations, this.advance(at, to)]);
        at = to;
      }
      if ((await this.mark())?.stamp !== next.stamp) return 'moved';
      if (replaced !== null) await this.forget(replaced);
      return 'applied';
    } catch (error) {
      // The collection, or this model in it, is not what it was: dropped or made anew meanwhile.
      if (isMissing(error)) return 'moved';
      if (error instanceof QdrantRefusal && (await this.mark())?.stamp !== at?.stamp) return 'moved';
      throw error;
    }
  }

  /** One request. Rejects with a RangeError where the query's vector has another length than the model's. */
  async search(query: VectorQuery): Promise<Candidate[]> {
    if (query.vector !== null) checkLength(this.model, query.vector);
    const searches = searchesFor(query, this.names, await this.abilities.get());
    return candidatesOf(query, await this.ask(searches));
  }

  /** One request. Rejects with a RangeError as `search` does. */
  async near(query: NearQuery): Promise<Near[][]> {
    for (const vector of query.vectors) checkLength(this.model, vector);
    const searches = nearSearchesFor(query, this.names, await this.abilities.get());
    return nearOf(query, await this.ask(searches));
  }

  private async ask(searches: Schemas['QueryRequest'][]): Promise<Schemas['QueryResponse'][]> {
    try {
      return await this.whereThere([], (tenant) =>
        tenant.call('search', 'read', (api, init) =>
          api.queryBatchPoints({ collection_name: this.collection, searches }, init),
        ),
      );
    } catch (error) {
      // The collection may hold another model alone, and knows no vectors of this one.
      if (error instanceof QdrantRefusal && (await this.mark()) === null) return [];
      throw error;
    }
  }

  async speakers(workspace: WorkspaceId, limit: number): Promise<string[]> {
    const mark = await this.mark();
    if (mark === null) return [];
    const { must } = inWorkspace(this.names.model, workspace);
    const filter = { must: [...must, is('era', mark.era)] };
    const { hits } = await this.whereThere({ hits: [] }, (tenant) =>
      tenant.call('facet', 'read', (api, init) =>
        api.facet({ collection_name: this.collection, key: 'speaker', filter, limit, exact: true }, init),
      ),
    );
    return hits.map(({ value }) => String(value));
  }

  async count(): Promise<number> {
    const mark = await this.mark();
    if (mark === null) return 0;
    const filter = inEra(this.names.model, mark.era);
    const { count } = await this.whereThere({ count: 0 }, (tenant) =>
      tenant.call('count', 'read', (api, init) =>
        api.countPoints({ collection_name: this.collection, filter, exact: true }, init),
      ),
    );
    return count;
  }

  async list(): Promise<HeldMemory[]> {
    const mark = await this.mark();
    if (mark === null) return [];
    const abilities = await this.abilities.get();
    const filter = inEra(this.names.model, mark.era);
    const { alone, joined, textAlone, textJoined } = this.names;
    const listed: HeldMemory[] = [];
    let next: Schemas['ExtendedPointId'] | null = null;
    do {
      const offset: { offset?: Schemas['ExtendedPointId'] } = next === null ? {} : { offset: next };
      const page: Schemas['ScrollResult'] = await this.whereThere({ points: [] }, (tenant) =>
        tenant.call('list', 'read', (api, init) =>
          api.scrollPoints(
            {
              collection_name: this.collection,
              filter,
              limit: PAGE,
              with_payload: true,
              with_vector: [alone, joined, textAlone, textJoined],
              ...offset,
            },
            init,
          ),
        ),
      );
      for (const { payload, vector } of page.points) {
        const workspace = parseWorkspaceId(String(payload?.['workspace']));
        if (workspace === null) throw new Error(`${this.collection} holds a point without a workspace`);
        listed.push({
          workspace,
          id: String(payload?.['id']),
          revision: Number(payload?.['revision']),
          digest: digestOfPoint({ vector, payload }, this.names, abilities),
        });
      }
      next = (page.next_page_offset as Schemas['ExtendedPointId'] | null | undefined) ?? null;
    } while (next !== null);
    return listed;
  }

  digestOf(memory: MemoryPoint): Digest {
    return digestOfMemory(memory, { model: this.model, names: this.names });
  }

  async drop(): Promise<void> {
    await this.setup.removeModel(this.names);
  }

  private async mark(): Promise<Mark | null> {
    const points = await this.whereThere([], (tenant) =>
      tenant.call('read a watermark', 'read', (api, init) =>
        api.getPoints(
          { collection_name: this.collection, ids: [this.names.watermark], with_payload: true },
          init,
        ),
      ),
    );
    const payload = points[0]?.payload;
    if (payload === undefined || payload === null) return null;
    const mark = payload as unknown as Mark & { ledger: LedgerId };
    return mark.era === eraOf(mark.ledger) ? mark : { ...mark, ledger: null, revision: 0 };
  }

  /** The first watermark of a store that has none, or null where somebody else was quicker. */
  private async claim(ledger: LedgerId): Promise<Mark | null> {
    await this.setup.ensure(this.model, this.names, await this.abilities.get());
    const mark: Mark = { ledger, era: eraOf(ledger), revision: 0, stamp: randomUUID(), leftover: null };
    const upsert: Schemas['PointsList'] = {
      points: [
        {
          id: this.names.watermark,
          vector: {},
          payload: { ...mark, model: this.names.model },
        },
      ],
      // Holds for no point that is there already: only a new one is let in.
      update_filter: { must: [is('stamp', mark.stamp)] },
    };
    await this.write('claim a collection', [{ upsert }]);
    return (await this.mark())?.stamp === mark.stamp ? mark : null;
  }

  private advance(from: Mark, to: Mark): Schemas['SetPayloadOperation'] {
    const filter = { must: [{ has_id: [this.names.watermark] }, is('stamp', from.stamp)] };
    return { set_payload: { payload: { ...to }, filter } };
  }

  /** What a former ledger left, or former terms. It never comes back: epochs only rise. */
  private async forget(era: string): Promise<void> {
    const filter = { must: [is('model', this.names.model), is('era', era)] };
    await this.write('clear a former ledger', [{ delete: { filter } }]);
  }

  /** In order, each done before the next begins. Rejects where one fails, and then leaves out the rest. */
  private async write(what: string, operations: Schemas['UpdateOperation'][]): Promise<void> {
    const tenant = this.connection.tenant(this.collection);
    await tenant.call(what, 'write', (api, init) =>
      api.batchUpdate({ collection_name: this.collection, wait: true, operations }, init),
    );
  }

  private async whereThere<Result>(
    nothing: Result,
    read: (tenant: QdrantCaller) => Promise<Result>,
  ): Promise<Result> {
    try {
      return await read(this.connection.tenant(this.collection));
    } catch (error) {
      if (isMissing(error)) return nothing;
      throw error;
    }
  }
}
