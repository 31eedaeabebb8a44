/**
 * What does everything around a route cost?
 *
 *     npm run bench:http -- [--rounds 5] [--seconds 2] [--warmup 8] [--connections 32]
 *
 * An authenticated `GET /v1/tenants/current` and a recall in a small tenant, on the whole server with its production
 * settings, against bare Express 5 and bare node:http that answer with the same JSON; and the steps in between.
 * Each server is a process of its own; they take turns within each round, so that a busy machine is busy for all.
 */
import autocannon from 'autocannon';
import { fork } from 'node:child_process';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { count, readOptions, run } from './support/options.mjs';
import { p50, randomFrom, round } from './support/numbers.mjs';
import { sentence } from './support/prose.mjs';
import { printTable, say, writeResults } from './support/report.mjs';
import { processorSeconds, scratchFolder } from './support/server.mjs';
import { openTarget } from './support/target.mjs';

const VARIANT = fileURLToPath(new URL('support/http-variant.mjs', import.meta.url));
const BAR = 0.4;
const STEPS = [
  ['node', 'bare node:http'],
  ['express', 'bare Express 5'],
  ['nest', 'Nest on Express 5'],
  ['edge', '+ edge: ids, security headers, URL and body checks, problems'],
  ['metrics', '+ metrics'],
  ['log', '+ one log line'],
  ['guard', '+ tenant context, key guard and access guard'],
  ['limit', '+ rate limit guard, two headers'],
];
const QUESTION = '/recall?limit=5&query=What%20was%20repaired%20in%20the%20garden%3F';

await run(async () => {
  const options = readOptions({ rounds: 5, seconds: 2, warmup: 8, connections: 32 });
  const load = {
    rounds: count(options, 'rounds', { max: 50 }),
    seconds: count(options, 'seconds', { max: 60 }),
    // A server answers several times as fast once its code is compiled, and the larger ones take longer until then.
    warmup: count(options, 'warmup', { max: 60 }),
    connections: count(options, 'connections', { max: 512 }),
  };
  const target = await openTarget(options);
  const scratch = scratchFolder();
  const variants = [];
  try {
    const tenant = await target.tenant(`http-${process.pid}`);
    const random = randomFrom(3);
    const memories = Array.from({ length: 100 }, () => ({ content: sentence(random) }));
    await tenant.client.post('/memory/batch', { memories });
    const routes = { get: '/v1/tenants/current', recall: QUESTION };
    const servers = { get: [], recall: [] };
    for (const [route, path] of Object.entries(routes)) {
      const { body } = await tenant.client.get(path);
      const file = join(scratch.path, `${route}.json`);
      writeFileSync(file, JSON.stringify(body));
      for (const [name, words] of route === 'get' ? STEPS : STEPS.slice(0, 2)) {
        const variant = await startVariant(name, file, scratch.path);
        variants.push(variant);
        servers[route].push({
          name,
          words,
          pid: variant.pid,
          url: `${variant.url}/measured`,
          token: tenant.key,
        });
      }
      const own = { name: 'loci', words: `Loci: GET ${path.replace(/\?.*/, '')}`, pid: target.own?.pid };
      servers[route].push({ ...own, url: `${target.operator.url.origin}${path}`, token: tenant.key });
    }
    const results = { load };
    for (const route of Object.keys(routes)) {
      say(
        `Measuring ${routes[route].replace(/\?.*/, '')}: ${load.rounds} rounds of ${servers[route].length} servers`,
      );
      results[route] = await measure(servers[route], load);
    }
    for (const [route, rows] of Object.entries(results)) {
      if (route !== 'load')
        printTable(`GET ${routes[route].replace(/\?.*/, '')}`, Object.keys(rows[0]), rows);
    }
    const kept = results.get.at(-1)['of express'];
    results.bar = { of_express: BAR, kept, met: kept >= BAR };
    process.stdout.write(
      `\nThe GET keeps ${kept} of bare Express 5; the bar is ${BAR}: ${kept >= BAR ? 'met' : 'NOT met'}\n`,
    );
    writeResults('http', results);
  } finally {
    for (const { child } of variants) child.kill('SIGKILL');
    await target.close();
    scratch.remove();
  }
});

/** Its output goes to a file, as a service's does. */
async function startVariant(name, file, folder) {
  const output = openSync(join(folder, `${name}.log`), 'a', 0o600);
  const child = fork(VARIANT, [name, file], { stdio: ['ignore', output, 'inherit', 'ipc'] });
  closeSync(output);
  const url = await new Promise((resolve, reject) => {
    child.once('message', (message) => resolve(message.url));
    child.once('exit', (code) => reject(new Error(`${name} did not start: it ended with ${code}`)));
  });
  return { child, pid: child.pid, url };
}

async function measure(servers, load) {
  const rounds = servers.map(() => []);
  for (const server of servers) await shoot(server, { ...load, seconds: load.warmup });
  for (let done = 0; done < load.rounds; done++) {
    for (const [at, server] of servers.entries()) rounds[at].push(await shoot(server, load));
  }
  const of = (name) => servers.findIndex((server) => server.name === name);
  // A ratio within one round: what slowed one server then slowed the other too.
  const ratio = (at, base) => {
    const ratios = rounds[at].map(({ perSecond }, turn) => perSecond / rounds[base][turn].perSecond);
    return round(p50(ratios), 3);
  };
  // The cheapest round: what else the machine does can only add to it.
  const cost = (at) => Math.min(...rounds[at].map(({ microseconds }) => microseconds));
  return servers.map(({ words }, at) => ({
    server: words,
    'requests/s': Math.round(p50(rounds[at].map(({ perSecond }) => perSecond))),
    'of express': ratio(at, of('express')),
    'of node:http': ratio(at, of('node')),
    p50_ms: round(p50(rounds[at].map(({ ms }) => ms)), 2),
    'cpu us/request': Number.isNaN(cost(at)) ? null : round(cost(at), 0),
    'added us': at === 0 || Number.isNaN(cost(at)) ? null : round(cost(at) - cost(at - 1), 0),
  }));
}

async function shoot({ url, pid, token }, { seconds, connections }) {
  const before = pid === undefined ? null : processorSeconds(pid);
  const result = await autocannon({
    url,
    connections,
    duration: seconds,
    headers: { authorization: `Bearer ${token}` },
  });
  const after = pid === undefined ? null : processorSeconds(pid);
  if (result.non2xx > 0 || result.errors > 0) {
    throw new Error(
      `${url} answered ${JSON.stringify(result.statusCodeStats)}, and ${result.errors} times not at all`,
    );
  }
  const { total } = result.requests;
  return {
    perSecond: total / result.duration,
    ms: result.latency.p50,
    microseconds: before === null || after === null ? Number.NaN : ((after - before) / total) * 1e6,
  };
}
