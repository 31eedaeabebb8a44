/**
 * What do the guards cost a request, and does the time of a refusal tell why?
 *
 *     npm run bench:guard -- [--rounds 5] [--calls 20000] [--refusals 1000]
 *
 * First the three guards alone, in this process, with a principal that is cached: who calls, how often, may they. Then,
 * on the whole server, tokens that open nothing, each for another reason, in random order over one connection.
 */
import 'reflect-metadata';
import { createHash } from 'node:crypto';
import { setTimeout as after } from 'node:timers/promises';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Client } from './support/client.mjs';
import { guards } from './support/guards.mjs';
import { count, readOptions, Refused, run } from './support/options.mjs';
import { mean, p50, p95, randomFrom, round } from './support/numbers.mjs';
import { barRow, printTable, say, writeResults } from './support/report.mjs';
import { openTarget } from './support/target.mjs';

const BAR_US = 60;
const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

await run(async () => {
  const options = readOptions({ rounds: 5, calls: 20_000, refusals: 1_000 });
  if (options.url !== undefined) throw new Refused('This one measures a server of its own: leave --url out.');
  const rounds = count(options, 'rounds', { max: 50 });
  const calls = count(options, 'calls');
  const refusals = count(options, 'refusals', { max: 100_000 });

  say(`Calling the guards ${rounds} times ${calls} times`);
  const warm = [];
  for (const [words, keyLimit] of [
    ["limited as its tenant's", null],
    ['with a limit of its own too', 1_000_000],
  ]) {
    warm.push({ 'a key': words, ...(await measureGuards(keyLimit, rounds, calls)) });
  }
  printTable('The guards of one request, microseconds', Object.keys(warm[0]), warm);

  say(`Sending ${refusals} times each kind of wrong token`);
  const wrong = await measureRefusals(refusals);
  printTable('GET with a token that opens nothing', Object.keys(wrong[0]), wrong);

  const worst = Math.max(...warm.map((row) => row.p50_us));
  const bar = barRow('guards of a request, warm', worst, 'us p50', `<= ${BAR_US}`, worst <= BAR_US);
  printTable('Against what must hold', Object.keys(bar), [bar]);
  writeResults('guard', { warm, wrong, bar });
});

/** Each call as a request would make it: its own context, its own answer, the same token. */
async function measureGuards(keyLimit, rounds, calls) {
  const { application, context, chain } = await openGuards(keyLimit);
  class Measured {
    get() {}
  }
  const { ForAnyKey } = await import('../dist/tenancy/access.decorator.js');
  ForAnyKey()(Measured.prototype, 'get', Object.getOwnPropertyDescriptor(Measured.prototype, 'get'));
  const request = { headers: { authorization: `Bearer ${madeKey()}` }, ip: '127.0.0.1' };
  const call = async () => {
    const headers = new Map();
    const response = { locals: { loci: {} }, setHeader: (name, value) => headers.set(name, value) };
    const http = { getRequest: () => request, getResponse: () => response };
    const execution = {
      getHandler: () => Measured.prototype.get,
      getClass: () => Measured,
      switchToHttp: () => http,
    };
    const state = { requestId: 'bench', principal: null, claim: null };
    const startedAt = performance.now();
    await context.run(state, async () => {
      for (const guard of chain) await guard.canActivate(execution);
    });
    const us = (performance.now() - startedAt) * 1_000;
    if (!headers.has('RateLimit')) throw new Error('The guards did not count this call');
    return us;
  };
  const results = [];
  // The first round is for the compiler.
  for (let round = 0; round <= rounds; round++) {
    const sample = [];
    for (let i = 0; i < calls; i++) sample.push(await call());
    if (round > 0) results.push({ p50: p50(sample), p95: p95(sample) });
  }
  await application.close();
  // The cheapest round: what else the machine does can only add to it.
  const least = (name) => Math.min(...results.map((result) => result[name]));
  const middle = (name) => p50(results.map((result) => result[name]));
  return {
    p50_us: round(middle('p50'), 1),
    p95_us: round(middle('p95'), 1),
    'p50_us, best round': round(least('p50'), 1),
  };
}

async function openGuards(keyLimit) {
  const of = (path) => import(`../dist/${path}`);
  const { parseSettings, Settings } = await of('platform/config/settings.js');
  const { TenantContext } = await of('tenancy/tenant-context.js');
  const settings = parseSettings({ NODE_ENV: 'production', DEFAULT_RATE_LIMIT: '1000000' });
  const { imports, providers } = await guards(settings, { keyLimit });
  const classes = [
    await of('tenancy/key.guard.js'),
    await of('tenancy/rate-limit.guard.js'),
    await of('tenancy/access.guard.js'),
  ].map((file) => Object.values(file).find((value) => /Guard$/.test(value.name)));
  class AppModule {}
  Module({ imports, providers: [...providers, ...classes, { provide: Settings, useValue: settings }] })(
    AppModule,
  );
  const application = await NestFactory.createApplicationContext(AppModule, { logger: false });
  return {
    application,
    context: application.get(TenantContext),
    chain: classes.map((each) => application.get(each)),
  };
}

async function measureRefusals(refusals) {
  const target = await openTarget({}, { LOCI_WRONG_TOKENS_PER_MINUTE: '1000000' });
  try {
    const tokens = await wrongTokens(target);
    const clients = Object.entries(tokens).map(([kind, token]) => ({
      kind,
      client: new Client(target.operator.url, token, 1),
      sample: [],
    }));
    const random = randomFrom(11);
    for (let turn = -50; turn < refusals; turn++) {
      const order = clients.map((each) => ({ each, at: random() })).sort((a, b) => a.at - b.at);
      for (const { each } of order) {
        const ms = await each.client.timeOf('/v1/tenants/current', 401);
        if (turn >= 0) each.sample.push(ms);
      }
    }
    for (const { client } of clients) client.close();
    const unknown = clients.find(({ kind }) => kind === 'unknown').sample;
    return clients.map(({ kind, sample }) => ({
      token: kind,
      p50_ms: round(p50(sample), 3),
      p95_ms: round(p95(sample), 3),
      'to unknown, us': round((p50(sample) - p50(unknown)) * 1_000, 0),
      // Below 2 nothing was told by chance or otherwise.
      't of the means': kind === 'unknown' ? '' : round(Math.abs(welch(sample, unknown)), 1),
    }));
  } finally {
    await target.close();
  }
}

async function wrongTokens(target) {
  const tenant = await target.tenant('guard');
  const keys = `/admin/tenants/${tenant.slug}/keys`;
  const made = async (order = {}) => (await target.operator.post(keys, order)).body;
  const revoked = await made();
  await target.operator.delete(`${keys}/${revoked.id}`);
  const expired = await made({ expires_at: new Date(Date.now() + 1_500).toISOString() });
  const gone = await target.tenant('guard-gone');
  await target.operator.delete(`/admin/tenants/${gone.slug}`);
  await after(2_000);
  const good = await made();
  return {
    unknown: madeKey(),
    'wrong secret': withChecksum(good.key.slice(0, 23) + madeKey().slice(23, -6)),
    expired: expired.key,
    revoked: revoked.key,
    'of a deleted tenant': gone.key,
    'mistyped (not looked up)': `${good.key.slice(0, -1)}${good.key.endsWith('a') ? 'b' : 'a'}`,
  };
}

function madeKey() {
  const random = (length) =>
    Array.from({ length }, () => ALPHABET[Math.floor(Math.random() * ALPHABET.length)]).join('');
  return withChecksum(`loci_live_${random(12)}_${random(43)}`);
}

function withChecksum(body) {
  let value = createHash('sha256').update(body).digest().readUIntBE(0, 5);
  let key = body;
  for (let i = 0; i < 6; i++) {
    key += ALPHABET[value % 62];
    value = Math.floor(value / 62);
  }
  return key;
}

/** Welch's t of two samples, without their slowest twentieth: a busy machine's stalls are no property of a token. */
function welch(one, two) {
  const trimmed = (sample) => [...sample].sort((a, b) => a - b).slice(0, Math.ceil(sample.length * 0.95));
  const of = (sample) => {
    const values = trimmed(sample);
    const middle = mean(values);
    return { middle, error: mean(values.map((value) => (value - middle) ** 2)) / (values.length - 1) };
  };
  const [a, b] = [of(one), of(two)];
  return (a.middle - b.middle) / Math.sqrt(a.error + b.error);
}
