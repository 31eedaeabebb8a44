import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { accessOf, checkAccess } from './access.js';
import { Collection, Refusal, type Change, type StandInAbilities } from './collection.js';
import { Unreadable } from './filter.js';
import { QdrantDescription, type DescribedRequest } from './openapi.js';
import { nameOf, ROUTES, type Route, type Shelf } from './routes.js';

export interface StandInOptions {
  /** As `GET /` tells it; what came with later versions is not there. Default 1.19.0. */
  version?: string;
  apiKey?: string;
  /** Where collections outlive the stand-in. Default: nowhere. */
  folder?: string;
  /** A second door to this one's collections, so that a test can tell two callers apart. */
  beside?: QdrantStandIn;
  /** Whether requests and answers are held against Qdrant's description. Default true. */
  validate?: boolean;
}

/** A request as it came, for a test to look at or to interfere with. */
export interface Call extends DescribedRequest {
  bearer: string | null;
}

/** `cut before`: the connection breaks and nothing was done. `cut after`: it was done, and the answer is lost. */
export type Fault = 'cut before' | 'cut after' | { status: number };

/**
 * A small Qdrant for tests, where no real one can run: it keeps the semantics of the calls that Loci makes (`ROUTES`),
 * and refuses with 422 whatever Qdrant's own OpenAPI description does not know. It is exact where Qdrant approximates:
 * every search looks at every point.
 */
export class QdrantStandIn implements Shelf {
  readonly version: string;
  readonly abilities: StandInAbilities;
  readonly collections: Map<string, Collection>;
  readonly calls: Call[] = [];
  /** Asked for every request; may wait, and so decide in which order requests are done. */
  interfere: (call: Call) => Promise<Fault | null> | Fault | null = () => null;
  /** Null where the description is not there, or not wanted. */
  readonly description: QdrantDescription | null;
  private readonly apiKey: string | null;
  private readonly folder: string | null;
  private readonly server: Server;

  private constructor({ version = '1.19.0', apiKey, folder, beside, validate = true }: StandInOptions) {
    this.collections = beside?.collections ?? new Map();
    this.version = version;
    const minor = Number(version.split('.')[1]);
    this.abilities = { prefixes: minor >= 19, idfCorpus: minor >= 19, vectorNames: minor >= 18 };
    this.apiKey = apiKey ?? null;
    this.folder = folder ?? null;
    this.description = validate ? QdrantDescription.find() : null;
    this.server = createServer((request, response) => void this.serve(request, response));
    if (this.folder !== null) this.reload(this.folder);
  }

  static async start(options: StandInOptions = {}): Promise<QdrantStandIn> {
    const standIn = new QdrantStandIn(options);
    await new Promise<void>((resolve) => standIn.server.listen(0, '127.0.0.1', resolve));
    return standIn;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  /** As after a power cut: the last so many changes of a collection never happened. */
  loseTail(name: string, changes: number): void {
    const there = this.collections.get(name);
    if (there === undefined) throw new Error(`there is no ${name}`);
    const kept = there.changes.slice(0, Math.max(0, there.changes.length - changes));
    this.add(name, there.config);
    for (const change of kept) this.change(name, change);
  }

  add(name: string, config: Record<string, unknown>): void {
    this.collections.set(name, new Collection(config, this.abilities));
    if (this.folder !== null) writeFileSync(this.journal(this.folder, name), `${JSON.stringify(config)}\n`);
  }

  remove(name: string): boolean {
    if (this.folder !== null) rmSync(this.journal(this.folder, name), { force: true });
    return this.collections.delete(name);
  }

  change(name: string, change: Change): number {
    const collection = this.collections.get(name);
    if (collection === undefined) throw new Error(`there is no ${name}`);
    const done = collection.change(change);
    if (this.folder !== null) appendFileSync(this.journal(this.folder, name), `${JSON.stringify(change)}\n`);
    return done;
  }

  private journal(folder: string, name: string): string {
    return join(folder, `${name}.jsonl`);
  }

  private reload(folder: string): void {
    if (!existsSync(folder)) mkdirSync(folder, { recursive: true });
    for (const file of readdirSync(folder)) {
      const [config, ...changes] = readFileSync(join(folder, file), 'utf8').trimEnd().split('\n');
      const collection = new Collection(
        JSON.parse(config ?? '{}') as Record<string, unknown>,
        this.abilities,
      );
      for (const change of changes) collection.change(JSON.parse(change) as Change);
      this.collections.set(file.slice(0, -'.jsonl'.length), collection);
    }
  }

  private async serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const started = performance.now();
    const reply = (status: number, members: Record<string, unknown>): void => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ ...members, time: (performance.now() - started) / 1000 }));
    };
    try {
      const { route, call } = await this.read(incoming);
      const fault = await this.interfere(call);
      if (fault === 'cut before') return void incoming.socket.destroy();
      if (fault !== null && typeof fault === 'object')
        throw new Refusal(fault.status, 'as the test wants it');
      const result = this.answer(route, call, incoming);
      if (fault === 'cut after') return void incoming.socket.destroy();
      // The root alone answers without the usual wrapping.
      if (route.route === '/') return reply(200, result as Record<string, unknown>);
      const wrong = this.description?.answerFault(call, { result, status: 'ok', time: 0 }) ?? null;
      if (wrong !== null) throw new Refusal(500, `The stand-in's own answer is not as described: ${wrong}`);
      reply(200, { result, status: 'ok' });
    } catch (error) {
      if (error instanceof Refusal && error.message === '')
        return void response.writeHead(error.status).end();
      const status = error instanceof Refusal ? error.status : error instanceof Unreadable ? 400 : 500;
      reply(status, { status: { error: error instanceof Error ? error.message : String(error) } });
    }
  }

  private answer(route: Route, call: Call, incoming: IncomingMessage): unknown {
    if (route.need !== 'nothing') {
      const header = (name: string): string | undefined => {
        const value = incoming.headers[name];
        return Array.isArray(value) ? value[0] : value;
      };
      const collection = 'collection_name' in call.path ? nameOf(call) : null;
      checkAccess(accessOf(this.apiKey, header), collection, route.need);
    }
    return route.answer(this, call);
  }

  private async read(incoming: IncomingMessage): Promise<{ route: Route; call: Call }> {
    const url = new URL(incoming.url ?? '/', 'http://stand-in');
    const method = incoming.method ?? 'GET';
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const [route, path] = routeOf(method, url.pathname);
    const call: Call = {
      method,
      route: route.route,
      path,
      query: url.searchParams,
      body: text === '' ? undefined : bodyOf(text),
      bearer: incoming.headers.authorization ?? null,
    };
    this.calls.push(call);
    const fault = this.description?.requestFault(call) ?? null;
    if (fault !== null) throw new Refusal(422, `Not as Qdrant describes ${method} ${route.route}: ${fault}`);
    return { route, call };
  }
}

function bodyOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Refusal(400, `Format error in JSON body: ${String(error)}`);
  }
}

function routeOf(method: string, pathname: string): [Route, Record<string, string>] {
  const steps = pathname.split('/');
  for (const route of ROUTES) {
    const wanted = route.route.split('/');
    if (route.method !== method || wanted.length !== steps.length) continue;
    const path: Record<string, string> = {};
    const fits = wanted.every((step, at) => {
      const given = decodeURIComponent(steps[at] ?? '');
      if (step.startsWith('{')) path[step.slice(1, -1)] = given;
      return step.startsWith('{') || step === given;
    });
    if (fits) return [route, path];
  }
  throw new Refusal(404, '');
}
