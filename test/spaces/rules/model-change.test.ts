import Sqlite from 'better-sqlite3';
import { systemCause } from '../../../src/ledger/cause.js';
import { Ledger, WHOLE_TENANT } from '../../../src/ledger/ledger.js';
import { BackfillSignal } from '../../../src/modules/memory/backfill-signal.js';
import { MemoryStoreService } from '../../../src/modules/memory/memory-store.service.js';
import { ModelChange } from '../../../src/modules/memory/model-change.service.js';
import { NO_CONTEXT } from '../../../src/modules/memory/recall-context.js';
import { RecallService } from '../../../src/modules/memory/recall.service.js';
import type { Tenant } from '../../../src/tenancy/principal.js';
import { tenantOf } from '../../isolation/two-palaces.js';
import { EmbeddingsEndpoint } from '../../models/embeddings-endpoint.js';
import { Loci, type TestTenant } from '../../support/loci.js';
import {
  eventually,
  expectProjected,
  fileOf,
  ledgerRows,
  recall,
  remember,
  someVector,
} from './projected.js';

describe('rule 12: a model is changed by a second projection', () => {
  const texts = ['The teapot is blue.', 'The kettle is on the shelf.', 'Nobody drinks coffee here.'];
  let endpoint: EmbeddingsEndpoint;
  let loci: Loci;
  let acme: TestTenant;
  let idle: TestTenant;
  let before: Tenant;
  const ids: string[] = [];
  let given: string;

  const models = async () => {
    const rows = await ledgerRows(loci, acme, 'SELECT DISTINCT model FROM embeddings');
    return rows.map((row) => String(row['model'])).sort();
  };
  const answering = async (tenant = acme) => (await tenantOf(loci, tenant)).embeddingModel;
  /** The models that the tenant’s file holds vectors of. */
  const inFile = () => {
    const file = new Sqlite(fileOf(loci, acme), { readonly: true });
    try {
      const tables = file
        .prepare(`SELECT count(*) FROM sqlite_schema WHERE name LIKE 'v%_points'`)
        .pluck()
        .get();
      return { models: file.prepare('SELECT name FROM models ORDER BY name').pluck().all(), tables };
    } finally {
      file.close();
    }
  };
  const byMeaning = async () => {
    const { results, degraded } = await recall(acme, 'which colour has the thing for brewing');
    expect(degraded).toBeUndefined();
    return results.length;
  };

  beforeAll(async () => {
    endpoint = await EmbeddingsEndpoint.start();
    loci = await Loci.start();
    [acme, idle] = [await loci.tenant(), await loci.tenant()];
    for (const [at, text] of texts.entries()) {
      ids.push(await remember(acme, text, { session_id: 's', timestamp: `2026-01-01T10:0${at}:00Z` }));
    }
    given = await remember(acme, 'A memory with a vector of its own.', { embedding: someVector() });
    before = await tenantOf(loci, acme);
    // The new model says how long its vectors are, and then goes away.
    endpoint.faults.push({ kind: 'change', change: (data) => data });
    endpoint.faults.push(...Array.from({ length: 500 }, () => ({ kind: 'status', status: 401 }) as const));
    await loci.restart(undefined, {
      OPENAI_BASE_URL: endpoint.baseUrl,
      OPENAI_API_KEY: 'test',
      EMBEDDING_MODEL: 'words',
    });
  });
  afterAll(async () => {
    await loci.stop();
    await endpoint.stop();
  });

  it('goes on answering with the old one, by meaning too, as long as the new one is not caught up', async () => {
    expect(await answering()).toBe(before.embeddingModel);
    expect(await byMeaning()).toBe(4);
    const { status, body } = await acme.post('/memory', { content: 'The sugar is in the jar.' });
    expect([status, body['indexed']]).toEqual([201, false]);
    ids.push(String(body['memory_id']));
    expect(await byMeaning()).toBe(5);
    expect(await models()).toEqual([before.embeddingModel]);
  });

  it('takes a vector that a caller brings for the new one, and makes its text’s vector for the old one', async () => {
    const { status, body } = await acme.post('/memory', {
      content: 'The milk is sour.',
      embedding: someVector(32),
    });
    expect(status).toBe(201);
    const id = String(body['memory_id']);
    ids.push(id);
    const vectors = () =>
      ledgerRows(loci, acme, 'SELECT model, given FROM embeddings WHERE memory_id = $1 ORDER BY given', [id]);
    await eventually('the old model has made its vector', async () => (await vectors()).length === 2);
    expect(await vectors()).toEqual([
      { model: before.embeddingModel, given: false },
      { model: 'words:32', given: true },
    ]);
    expect(await byMeaning()).toBe(6);
  });

  it('does not switch where a single new text has its vector and the old ones were never asked for', async () => {
    await loci.server.app
      .get(Ledger)
      .write(before, WHOLE_TENANT, systemCause('a test'), (tx) => tx.rows('DELETE FROM pending_vectors'));
    await loci.server.app.get(ModelChange).finish();
    expect(await answering()).toBe(before.embeddingModel);
    expect(await byMeaning()).toBe(6);
  });

  it('switches once the new one has everything: all the while each recall finds everything', async () => {
    endpoint.faults.length = 0;
    loci.server.app.get(BackfillSignal).ring();
    let switched = false;
    let asked = 0;
    const watch = (async () => {
      while (!switched) {
        expect(await byMeaning()).toBe(6);
        asked++;
      }
    })();
    await eventually('it has switched', async () => (await answering()) === 'words:32').finally(
      () => (switched = true),
    );
    await watch;
    expect(asked).toBeGreaterThan(0);
    expect(await answering(idle)).toBe('words:32');
  });

  it('goes on answering, for a while, those that still ask the old one', async () => {
    const question = {
      queries: ['which colour has the thing for brewing'],
      zone: 'UTC',
      filter: {},
      ...{ vector: null, context: NO_CONTEXT, pinned: [], limit: 10, offset: 0, eachLimit: Infinity },
      ...{ minScore: 0, floor: null, beyondTags: false, language: null },
    };
    const { memories, degraded } = await loci.server.app
      .get(RecallService)
      .recall(before, before.defaultWorkspace, { ...question, sort: 'score', recency: 'off' });
    expect({ found: memories.length, degraded }).toEqual({ found: 6, degraded: [] });
    expect(await models()).toEqual([before.embeddingModel, 'words:32'].sort());
  });

  it('then leaves nothing of the old one, in the ledger or in the space, of late writes neither', async () => {
    const draft = {
      id: null,
      content: 'A late guest.',
      type: 'Context',
      typeGiven: true,
      tags: [],
      importance: 0.5,
      confidence: 0.9,
      metadata: {},
      timestamp: new Date(),
      validFrom: null,
      validUntil: null,
      session: null,
      user: null,
      agent: null,
      source: null,
      embedding: null,
      fingerprint: Buffer.alloc(32),
    };
    const late = systemCause('a late request');
    await loci.server.app.get(MemoryStoreService).store(before, before.defaultWorkspace, [draft], late);
    expect(inFile().models).toHaveLength(2);
    await loci.server.app.get(ModelChange).finish(new Date(Date.now() + 120_000));
    expect(await models()).toEqual(['words:32']);
    expect(await ledgerRows(loci, acme, 'SELECT 1 FROM pending_vectors')).toEqual([]);
    expect(inFile()).toEqual({ models: ['words'], tables: 1 });
    expect(await byMeaning()).toBe(7);
    await expectProjected(loci, acme);
  });

  it('has a vector of the new one for every text, alone and joined; those that callers brought for it stay', async () => {
    const rows = await ledgerRows(
      loci,
      acme,
      `SELECT m.id, p.part, e.given FROM memories m
       CROSS JOIN LATERAL (VALUES ('alone', m.alone_hash), ('joined', m.joined_hash)) AS p (part, hash)
       LEFT JOIN embeddings e ON e.memory_id = m.id AND e.part = p.part AND e.hash = p.hash AND e.model = 'words:32'
       WHERE p.hash IS NOT NULL`,
    );
    expect(rows.filter((row) => row['given'] === null)).toEqual([]);
    expect(rows.filter((row) => row['part'] === 'joined')).toHaveLength(2);
    expect(rows.filter((row) => row['given'] === true).map((row) => row['id'])).toEqual([ids.at(-1)]);
    // The one that was brought for the old model is of no use to the new one: its text speaks for it.
    expect(rows).toContainEqual({ id: given, part: 'alone', given: false });
  });
});
