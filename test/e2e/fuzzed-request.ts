import fc from 'fast-check';
import type { RawRequest } from '../support/raw-request.js';
import { anything, SchemaValues, type KnownValues, type Schema } from '../support/schema-values.js';
import { CALLERS, reference, type CallerKind, type FuzzedWorld, type HomeKind } from './fuzzed-world.js';

interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header';
  required?: boolean;
  schema?: Schema;
}
interface Operation {
  parameters?: Parameter[];
  requestBody?: { content: Record<string, { schema: Schema }> };
}
/** What requests are made of. */
export interface Described {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
}

/** One request, in which references stand for what there will be when it goes out. */
export interface FuzzedRequest {
  /** `GET /memory/{id}`. */
  operation: string;
  home: [HomeKind, number];
  caller: [CallerKind, number];
  /** What comes before the template's path, and behind it: other names of the same. */
  around: [string, string];
  /** In the order of the template. Encoded, unless `raw`. */
  segments: { text: string; raw: boolean }[];
  query: Record<string, unknown>;
  headers: Record<string, string>;
  body: Body;
}
/** `json` is written as JSON, `text` goes as it is, `bytes` are base64. */
type Body = { json: unknown } | { text: string } | { bytes: string } | null;

const ref = (kind: Parameters<typeof reference>[0]): fc.Arbitrary<string> =>
  fc.nat(23).map((n) => reference(kind, n));
/** Mostly one's own, sometimes another tenant's. */
const own = (kind: Parameters<typeof reference>[0]): fc.Arbitrary<string> =>
  fc.oneof({ weight: 9, arbitrary: ref(kind) }, { weight: 1, arbitrary: ref('foreign') });
const workspace = fc.oneof(
  { weight: 5, arbitrary: ref('default') },
  { weight: 1, arbitrary: own('workspace') },
);
const agent = fc.oneof(
  { weight: 1, arbitrary: fc.constant('default') },
  { weight: 2, arbitrary: own('agent') },
);
const slug = fc.stringMatching(/^[a-z][a-z0-9-]{2,10}[a-z0-9]$/);
const url = slug.map((name) => `https://${name}.example/v1`);
const word = fc.constantFrom(...'abcdefghij', 'lantern', 'teapot', 'größe', '数字');
const words = fc.array(word, { minLength: 1, maxLength: 3 });
const vector = fc.nat(383).map((hot) => Array.from({ length: 384 }, (_, i) => (i === hot ? 1 : 0.01)));

/** Where a schema says `string`, and only some strings reach what lies behind the door. */
const KNOWN: Record<string, fc.Arbitrary<unknown>> = {
  memory1_id: own('memory'),
  memory2_id: own('memory'),
  member_id: own('member'),
  merge_into: own('entity'),
  workspace_id: workspace,
  project: workspace,
  cursor: ref('cursor'),
  tenant: own('tenant'),
  placement: fc.constantFrom('shared', 'second'),
  slug,
  tenant_id: slug,
  domain: slug.map((name) => `${name}.example`),
  contact_email: slug.map((name) => `${name}@fuzzed.example`),
  email: slug.map((name) => `${name}@fuzzed.example`),
  admin_email: slug.map((name) => `${name}@fuzzed.example`),
  api_token: fc.stringMatching(/^[a-zA-Z0-9]{40}$/),
  issuer: url,
  base_url: url,
  webhook_url: url,
  url,
  embedding: vector,
  tags: words,
  'tags[]': word,
  session_id: word,
  user_id: word,
  agent_id: word,
  source: word,
  query: word,
  priority_ids: fc.array(own('memory'), { minLength: 1, maxLength: 3 }),
  language: fc.constantFrom('typescript', 'de', 'French'),
  active_path: word.map((name) => `src/${name}/index.ts`),
  from: fc.constantFrom('2026-01-01', '2026-01-02T03:04:05.678+09:00', '1900-01-01'),
  to: fc.constantFrom('2026-01-10', '2026-01-20T00:00:00Z', '2100-01-01'),
  settings: fc.constantFrom(
    {},
    { locale: 'de' },
    { a: { b: 1 } },
    { a: null },
    { quotas: { max_memories: 5_000 } },
  ),
};
const association = {
  memory1_id: own('memory'),
  memory2_id: own('memory'),
  strength: fc.double({ min: 0, max: 1, noNaN: true }),
};
const related = fc.record(
  { ...association, type: fc.constantFrom('RELATES_TO', 'PREFERS_OVER') },
  { noNullPrototype: true },
);
/** Of schemas that do not say which of their members go together. */
const KNOWN_WHOLES: Record<string, fc.Arbitrary<unknown>> = {
  TriggerActionDto: fc.oneof(
    url.map((address) => ({ webhook: { url: address } })),
    words.map((tag) => ({ tag })),
    own('memory').map((to) => ({ relate: { to, type: 'PART_OF' } })),
  ),
  AssociateDto: fc.oneof(
    related,
    fc.record({ associations: fc.array(related, { minLength: 1, maxLength: 3 }) }, { noNullPrototype: true }),
  ),
};
/** Of which one would do, or another that is not always asked for. */
const ALSO_NEEDED: Record<string, string[]> = { ProvisionTenantDto: ['tenant_id'], PutOidcDto: ['audience'] };
const known: KnownValues = (name) => KNOWN[name] ?? KNOWN_WHOLES[name];

/** Whatever a parameter of a path names. */
function segment(method: string, template: string, name: string): fc.Arbitrary<string> {
  // The default ones cannot be deleted.
  if (method === 'DELETE' && template.endsWith(`/{${name}}`) && /^(?:workspace|agent)$/.test(name))
    return own(name as 'workspace' | 'agent');
  if (name === 'code') return ref('code');
  if (name === 'workspace') return workspace;
  if (name === 'agent') return agent;
  if (name === 'tenant' || name === 'org') return own('tenant');
  if (template.includes('keys/')) return own('key');
  if (template.includes('/entity/')) return own('entity');
  if (template.includes('triggers/')) return own('trigger');
  if (name === 'nowhere') return fc.constantFrom('memory', 'v1', 'api', 'admin', 'favicon.ico');
  return own(template.includes('members/') ? 'member' : 'memory');
}

const garbage: fc.Arbitrary<{ text: string; raw: boolean }> = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 30 }).map((text) => ({ text, raw: false })),
  fc.uuid().map((text) => ({ text, raw: false })),
  fc.stringMatching(/^[%a-z0-9./;:@&=+$,-]{0,30}$/).map((text) => ({ text, raw: true })),
);

/** Headers of every kind that something in the server reads. Latin-1 without line breaks: nothing else can be sent. */
const headerText = fc.oneof(
  fc.stringMatching(/^[\x21-\x7e]{1,40}$/),
  fc.stringMatching(/^[\x20-\x7e\xa0-\xff]{0,300}$/),
  fc.constantFrom(
    '',
    '*',
    'null',
    '0',
    '-1',
    ',',
    '::1',
    '2001:db8::1',
    '300.1.1.1',
    '10.0.0.1, 10.0.0.2',
    'x'.repeat(4_000),
  ),
);
const HEADERS: Record<string, fc.Arbitrary<string>> = {
  'X-Tenant-ID': fc.oneof({ weight: 6, arbitrary: own('tenant') }, { weight: 1, arbitrary: headerText }),
  'X-Workspace-ID': fc.oneof(
    { weight: 6, arbitrary: own('workspace') },
    { weight: 1, arbitrary: headerText },
  ),
  'Idempotency-Key': fc.oneof(fc.nat(99).map(String), headerText),
  'X-Request-Id': headerText,
  'X-Forwarded-For': headerText,
  'X-Forwarded-Host': headerText,
  'X-Forwarded-Proto': headerText,
  Accept: fc.oneof(fc.constantFrom('application/json', 'text/html', 'application/x-ndjson'), headerText),
  'Accept-Encoding': headerText,
  'Accept-Language': headerText,
  'If-None-Match': headerText,
  Range: fc.constantFrom('bytes=0-1', 'bytes=-1', 'items=0-5'),
  Cookie: headerText,
  Origin: headerText,
  Authorization: headerText.map((text) => `Basic ${text}`),
};
const someHeaders = fc.subarray(Object.keys(HEADERS), { maxLength: 3 }).chain((names) =>
  fc.record(Object.fromEntries(names.map((name) => [name, HEADERS[name] ?? headerText])), {
    noNullPrototype: true,
  }),
);
const CONTENT_TYPES = [
  'application/json',
  'application/json; charset=utf-8',
  'application/merge-patch+json',
  'application/x-www-form-urlencoded',
  '',
  'text/plain',
  'application/xml',
  'application/json; charset=utf-16',
  'multipart/form-data; boundary=x',
  'multipart/form-data',
  ';;;',
];

/** JSON that no value becomes, and what is hardly JSON or none. */
const notQuite: fc.Arbitrary<Body> = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }).map((text) => ({ text })),
  fc.json().map((text) => ({ text })),
  fc.uint8Array({ maxLength: 40 }).map((bytes) => ({ bytes: Buffer.from(bytes).toString('base64') })),
  fc
    .constantFrom(
      '',
      '{',
      '[]]',
      'null',
      '1e999',
      '"\\ud800"',
      '\ufeff{}',
      '{"a":1}{"b":2}',
      "{'content':'x'}",
      '{"content":"a","content":"b"}',
      '{"__proto__":{"a":1},"constructor":{"prototype":{}},"toString":1}',
      '{"content":1e400,"limit":-1e400,"name":12345678901234567890123456789}',
      '{"content":"\\udc00\\ud800","name":"\\u0000","slug":"\\uffff"}',
      `{"metadata":${'{"a":'.repeat(500)}1${'}'.repeat(500)}}`,
      '['.repeat(20_000),
    )
    .map((text) => ({ text })),
);

const weighted = <T>(...parts: [number, fc.Arbitrary<T>][]): fc.Arbitrary<T> =>
  fc.oneof(...parts.map(([weight, arbitrary]) => ({ weight, arbitrary })));

/** Requests to every operation that the document describes, each as likely as any other. */
export function fuzzedRequests({ paths, components }: Described): fc.Arbitrary<FuzzedRequest> {
  const schemas = { ...components.schemas };
  for (const [name, more] of Object.entries(ALSO_NEEDED)) {
    const { required = [], ...schema } = schemas[name] ?? {};
    schemas[name] = { ...schema, required: [...required, ...more] };
  }
  const values = new SchemaValues(schemas, known);
  const operations = Object.entries(paths).flatMap(([template, methods]) =>
    Object.entries(methods).map(([method, operation]) =>
      requestsTo(method.toUpperCase(), template, operation, values),
    ),
  );
  const nowhere = ['GET', 'POST', 'PATCH', 'PUT', 'DELETE'].map((method) =>
    requestsTo(method, '/{nowhere}', { parameters: [{ name: 'nowhere', in: 'path' }] }, values),
  );
  return fc.oneof(...operations, fc.oneof(...nowhere));
}

function requestsTo(
  method: string,
  template: string,
  { parameters = [], requestBody }: Operation,
  values: SchemaValues,
): fc.Arbitrary<FuzzedRequest> {
  const schema = Object.values(requestBody?.content ?? {})[0]?.schema;
  const inQuery = parameters.filter((parameter) => parameter.in === 'query');
  const querySchema: Schema = {
    properties: Object.fromEntries(inQuery.map(({ name, schema: one = {} }) => [name, one])),
    required: inQuery.filter(({ required }) => required === true).map(({ name }) => name),
  };
  const good = fc.tuple(
    ...parameters
      .filter((parameter) => parameter.in === 'path')
      .map(({ name }) => segment(method, template, name).map((text) => ({ text, raw: false }))),
  );
  const bad = good.chain((segments) =>
    fc.tuple(...segments.map((one) => weighted([1, fc.constant(one)], [1, garbage]))),
  );
  const valid: fc.Arbitrary<Body> =
    schema === undefined ? fc.constant(null) : values.valid(schema).map((json) => ({ json }));
  const mutated: fc.Arbitrary<Body> = (
    schema === undefined ? anything : weighted([5, values.mutated(schema)], [1, anything])
  ).map((json) => ({ json }));
  const some = values.valid(querySchema) as fc.Arbitrary<Record<string, unknown>>;
  // Elsewhere these are times.
  const ends = template.endsWith('/graph/path') ? { from: own('memory'), to: own('memory') } : {};
  const query = fc.tuple(some, fc.record(ends)).map(([fields, two]) => ({ ...fields, ...two }));
  const oddQuery = values.mutated(querySchema) as fc.Arbitrary<Record<string, unknown>>;
  const typed = { 'Content-Type': 'application/json' };
  const plain = {
    operation: fc.constant(`${method} ${template}`),
    home: homeFor(method, template),
    caller: callerFor(template),
    around: fc.tuple(
      weighted([7, fc.constant('')], [template.startsWith('/v1/') ? 1 : 0, fc.constant('/api')]),
      weighted([7, fc.constant('')], [1, fc.constant('/')]),
    ),
    segments: good,
    query,
    headers: weighted<Record<string, string>>(
      [2, fc.constant(typed)],
      [1, someHeaders.map((headers) => ({ ...typed, ...headers }))],
    ),
    body: valid,
  };
  const anyType = fc
    .tuple(someHeaders, fc.constantFrom(...CONTENT_TYPES))
    .map(([headers, type]) => ({ ...headers, 'Content-Type': type }));
  return weighted<FuzzedRequest>(
    [12, fc.record(plain)],
    [4, fc.record({ ...plain, body: mutated })],
    [3, fc.record({ ...plain, query: oddQuery })],
    [2, fc.record({ ...plain, segments: bad })],
    [2, fc.record({ ...plain, headers: anyType, body: weighted([1, notQuite], [1, valid]) })],
  );
}

/** What ends a tenant or takes its rights is tried at those that are there for it; what changes one, not at the first. */
function homeFor(method: string, template: string): fc.Arbitrary<[HomeKind, number]> {
  const ends =
    /^\/(?:admin\/tenants|v1\/organizations)\/\{\w+\}(?:\/(?:suspend|resume|restore|placement))?$/.test(
      template,
    );
  const changes = /^\/(?:admin\/tenants\/\{|v1\/tenants\/current)/.test(template);
  const of = (lasting: number, neighbour: number, sacrificed: number): fc.Arbitrary<HomeKind> =>
    weighted(
      [lasting, fc.constant<HomeKind>('lasting')],
      [neighbour, fc.constant<HomeKind>('neighbour')],
      [sacrificed, fc.constant<HomeKind>('sacrificed')],
    );
  if (method === 'GET') return fc.tuple(of(6, 1, 1), fc.nat(9));
  if (method === 'DELETE' && !ends && !changes) return fc.tuple(of(1, 2, 1), fc.nat(9));
  if (ends) return fc.tuple(of(0, 0, 1), fc.nat(9));
  return fc.tuple(changes ? of(0, 3, 1) : of(6, 1, 1), fc.nat(9));
}

function callerFor(template: string): fc.Arbitrary<[CallerKind, number]> {
  const operators = /^\/(?:admin|metrics|v1\/organizations|v1\/tenants(?!\/current))/.test(template);
  const likely: fc.Arbitrary<CallerKind> = operators
    ? fc.constant('operator')
    : fc.constantFrom('whole', 'whole', 'whole', 'workspace');
  return fc.tuple(weighted([3, likely], [1, fc.constantFrom(...CALLERS)]), fc.nat(23));
}

/** The request as it goes out now. */
export function written(request: FuzzedRequest, world: FuzzedWorld): RawRequest & { method: string } {
  const home = world.home(...request.home);
  const [method = '', template = ''] = request.operation.split(' ');
  const resolved = (text: string): string => world.resolve(text, request.operation, home);
  const segments = request.segments.map(({ text, raw }) =>
    // Halves of surrogate pairs cannot be encoded: they become what stands for them.
    raw ? text : encodeURIComponent(Buffer.from(resolved(text)).toString()),
  );
  const [before, after] = request.around;
  const path = `${before}${template.replace(/\{\w+\}/g, () => segments.shift() ?? '')}${template === '/' ? '' : after}`;
  // One that goes on would go on for ever.
  const fields = template.endsWith('/stream') ? { ...request.query, follow: false } : request.query;
  const query = resolved(queryOf(fields));
  const token = world.token(request.caller[0], home, request.caller[1]);
  const headers: Record<string, string> = token === null ? {} : { Authorization: `Bearer ${token}` };
  if (template === '/v1/widget') headers['Host'] = home.domain;
  for (const [name, value] of Object.entries(request.headers)) headers[name] = resolved(value);
  const body = bodyOf(request.body, resolved);
  return {
    method,
    path: query === '' ? path : `${path}?${query}`,
    headers,
    ...(body === null ? {} : { body }),
  };
}

function bodyOf(body: Body, resolved: (text: string) => string): string | Buffer | null {
  if (body === null) return null;
  if ('bytes' in body) return Buffer.from(body.bytes, 'base64');
  return 'text' in body ? body.text : resolved(JSON.stringify(body.json));
}

/** Lists as names that come again. References are left to be resolved. */
function queryOf(fields: Record<string, unknown>): string {
  const pairs = Object.entries(fields).flatMap(([name, value]) =>
    [value].flat().map((one) => {
      const text = typeof one === 'string' ? one : JSON.stringify(one);
      return [name, text.slice(0, 2_000)] as const;
    }),
  );
  return pairs.map((pair) => pair.map(escaped).join('=')).join('&');
}

const escaped = (text: string): string =>
  text
    .split(/(‹\w+ \d+›)/)
    .map((part) => (/^‹\w+ \d+›$/.test(part) ? part : encodeURIComponent(Buffer.from(part).toString())))
    .join('');
