import { randomUUID } from 'node:crypto';
import { writeCursor } from '../../src/platform/http/cursor.js';
import type { RawRequest } from '../support/raw-request.js';

/** A request that must be refused, and how. */
export type BadRequest = [name: string, request: RawRequest, status: number, code: string];

/** What bad requests refer to: a memory that is really there. */
export interface Existing {
  memory: string;
}

const JSON_BODY = { 'Content-Type': 'application/json' };
const MALFORMED = [400, 'request.malformed'] as const;
const INVALID = [400, 'request.invalid'] as const;

const post = (path: string, body: unknown): RawRequest => ({
  method: 'POST',
  path,
  headers: JSON_BODY,
  body: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
});
const store = (fields: object): RawRequest => post('/memory', { content: 'A memory', ...fields });
/** Written by hand, because no JavaScript value becomes this JSON. */
const storeRaw = (fields: string): RawRequest => post('/memory', `{"content":"A memory",${fields}}`);
const batch = (memories: unknown): RawRequest => post('/memory/batch', { memories });
const get = (path: string): RawRequest => ({ path });
const vector = (fill: (i: number) => unknown, length = 384): unknown[] =>
  Array.from({ length }, (_, i) => fill(i));
const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

export const BAD_CONTENT: BadRequest[] = [
  ['no content', post('/memory', {}), ...INVALID],
  ['null content', store({ content: null }), ...INVALID],
  ['empty content', store({ content: '' }), ...INVALID],
  ['blank content', store({ content: ' \n\t\u00a0' }), ...INVALID],
  ['content of a wrong kind', store({ content: 7 }), ...INVALID],
  ['content in a list', store({ content: ['A memory'] }), ...INVALID],
  ['64 KB of content and one byte', store({ content: 'x'.repeat(65_537) }), ...INVALID],
  ['64 KB of content in two-byte letters and one more', store({ content: 'é'.repeat(32_769) }), ...INVALID],
  ['1 MB of content', store({ content: 'x'.repeat(1_000_000) }), ...INVALID],
  ['more than 1 MB', store({ content: 'x'.repeat(1_100_000) }), 413, 'request.too_large'],
  ['NUL in the content', storeRaw('"content":"a\\u0000b"'), ...INVALID],
  ['half a surrogate pair', storeRaw('"content":"a\\ud800b"'), ...INVALID],
  ['the other half', storeRaw('"content":"\\udc00"'), ...INVALID],
  ['halves in the wrong order', storeRaw('"content":"\\udc00\\ud800"'), ...INVALID],
  ['NUL in a tag', storeRaw('"tags":["\\u0000"]'), ...INVALID],
  ['half a surrogate pair in metadata', storeRaw('"metadata":{"a":["\\udfff"]}'), ...INVALID],
  ['NUL in a key of metadata', storeRaw('"metadata":{"a\\u0000":1}'), ...INVALID],
  ['NUL in a session', storeRaw('"session_id":"\\u0000"'), ...INVALID],
];

export const BAD_FIELDS: BadRequest[] = [
  ['10,000 tags', store({ tags: vector((i) => `t${i}`, 10_000) }), ...INVALID],
  ['65 tags', store({ tags: vector((i) => `t${i}`, 65) }), ...INVALID],
  ['a tag that is too long', store({ tags: ['x'.repeat(129)] }), ...INVALID],
  ['an empty tag', store({ tags: ['good', ''] }), ...INVALID],
  ['a tag that is a number', store({ tags: [1] }), ...INVALID],
  ['tags that are one text', store({ tags: 'a,b' }), ...INVALID],
  ['importance 2', store({ importance: 2 }), ...INVALID],
  ['importance -1', store({ importance: -1 }), ...INVALID],
  ['importance as text', store({ importance: '0.5' }), ...INVALID],
  ['importance that is true', store({ importance: true }), ...INVALID],
  ['importance NaN', storeRaw('"importance":NaN'), ...MALFORMED],
  ['importance Infinity', storeRaw('"importance":Infinity'), ...MALFORMED],
  ['a number that overflows', storeRaw('"importance":1e999'), ...INVALID],
  ['a number that overflows in metadata', storeRaw('"metadata":{"n":-1e400}'), ...INVALID],
  ['confidence 1.0001', store({ confidence: 1.0001 }), ...INVALID],
  ['a day that does not exist', store({ timestamp: '2023-02-30' }), ...INVALID],
  ['a leap day of another year', store({ timestamp: '2023-02-29T00:00:00Z' }), ...INVALID],
  ['a month 13', store({ timestamp: '2023-13-01T00:00:00Z' }), ...INVALID],
  ['an hour 25', store({ timestamp: '2023-01-01T25:00:00Z' }), ...INVALID],
  ['yesterday', store({ timestamp: 'yesterday' }), ...INVALID],
  ['a time as a number', store({ timestamp: 1_700_000_000 }), ...INVALID],
  ['what is the year 10000 by UTC', store({ t_invalid: '9999-12-31T23:59:59.999-14:00' }), ...INVALID],
  ['a year of five digits', store({ timestamp: '+12026-01-01T00:00:00Z' }), ...INVALID],
  ['an empty time', store({ timestamp: '' }), ...INVALID],
  ['validity that is no time', store({ t_valid: 'soon' }), ...INVALID],
  [
    'validity that ends before it begins',
    store({ t_valid: '2026-01-02', t_invalid: '2026-01-01' }),
    ...INVALID,
  ],
  ['an embedding that is too short', store({ embedding: vector(() => 0.1, 383) }), ...INVALID],
  ['an embedding that is too long', store({ embedding: vector(() => 0.1, 385) }), ...INVALID],
  ['an empty embedding', store({ embedding: [] }), ...INVALID],
  ['an embedding of zeros', store({ embedding: vector(() => 0) }), ...INVALID],
  ['an embedding with a text', store({ embedding: vector((i) => (i === 7 ? '0.1' : 0.1)) }), ...INVALID],
  ['an embedding with null', store({ embedding: vector((i) => (i === 7 ? null : 0.1)) }), ...INVALID],
  ['an embedding beyond 32-bit floats', store({ embedding: vector(() => 1e39) }), ...INVALID],
  ['an embedding of vectors', store({ embedding: [vector(() => 0.1)] }), ...INVALID],
  ['a type with a space', store({ type: 'two words' }), ...INVALID],
  ['a type of 65 letters', store({ type: 'x'.repeat(65) }), ...INVALID],
  ['an id that is no UUID', store({ id: 'memory-1' }), ...INVALID],
  ['an id that is a number', store({ id: 1 }), ...INVALID],
  ['a session of 257 letters', store({ session_id: 'x'.repeat(257) }), ...INVALID],
  ['metadata of more than 16 KB', store({ metadata: { a: 'x'.repeat(16_400) } }), ...INVALID],
  ['metadata that is a list', store({ metadata: [1] }), ...INVALID],
  ['metadata that is a text', store({ metadata: '{}' }), ...INVALID],
  ['metadata nested too deep', storeRaw(`"metadata":{"a":${nested(70)}}`), ...INVALID],
  ['an unknown field', store({ colour: 'blue' }), ...INVALID],
  ['__proto__', storeRaw('"__proto__":{"importance":1}'), ...INVALID],
  ['constructor', storeRaw('"constructor":{"prototype":{"x":1}}'), ...INVALID],
  ['toString', storeRaw('"toString":"x"'), ...INVALID],
  ['a workspace that is a number', store({ workspace_id: 1 }), ...INVALID],
  ['a workspace that does not exist', store({ workspace_id: 'nowhere' }), 404, 'workspace.not_found'],
];

export const BAD_BODIES: BadRequest[] = [
  ['broken JSON', post('/memory', '{"content":'), ...MALFORMED],
  ['JSON with a comment', post('/memory', '{"content":"x"} // yes'), ...MALFORMED],
  ['two values', post('/memory', '{"content":"x"}{"content":"y"}'), ...MALFORMED],
  ['single quotes', post('/memory', "{'content':'x'}"), ...MALFORMED],
  ['a list as body', post('/memory', '[{"content":"x"}]'), ...INVALID],
  ['a text as body', post('/memory', '"content"'), ...INVALID],
  ['a number as body', post('/memory', '7'), ...INVALID],
  ['true as body', post('/memory', 'true'), ...INVALID],
  ['null as body', post('/memory', 'null'), ...INVALID],
  ['no body', { method: 'POST', path: '/memory', headers: JSON_BODY }, ...INVALID],
  ['nested 100,000 deep', post('/memory', nested(100_000)), ...INVALID],
  [
    'what is no UTF-8',
    post(
      '/memory',
      Buffer.concat([Buffer.from('{"content":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}')]),
    ),
    ...MALFORMED,
  ],
  ['UTF-16', post('/memory', Buffer.from('{"content":"x"}', 'utf16le')), ...MALFORMED],
  [
    'plain text',
    { ...store({}), headers: { 'Content-Type': 'text/plain' } },
    415,
    'request.unsupported_media',
  ],
  [
    'another character set',
    { ...store({}), headers: { 'Content-Type': 'application/json; charset=iso-8859-1' } },
    415,
    'request.unsupported_media',
  ],
  [
    'an unknown encoding',
    { ...store({}), headers: { ...JSON_BODY, 'Content-Encoding': 'lzma' } },
    415,
    'request.unsupported_media',
  ],
  [
    'gzip that is none',
    { ...store({}), headers: { ...JSON_BODY, 'Content-Encoding': 'gzip' } },
    ...MALFORMED,
  ],
  ['a form', post('/memory', 'content=x'), ...MALFORMED],
  [
    'an Idempotency-Key of 256 letters',
    { ...store({}), headers: { ...JSON_BODY, 'Idempotency-Key': 'k'.repeat(256) } },
    400,
    'idempotency.key_invalid',
  ],
  [
    'an empty Idempotency-Key',
    { ...store({}), headers: { ...JSON_BODY, 'Idempotency-Key': '' } },
    400,
    'idempotency.key_invalid',
  ],
];

export const BAD_BATCHES: BadRequest[] = [
  ['an empty batch', batch([]), ...INVALID],
  ['501 memories', batch(vector((i) => ({ content: `Memory ${i}` }), 501)), ...INVALID],
  ['a batch of nothing good', batch([{ content: '' }, { importance: 2 }]), ...INVALID],
  ['a batch of texts', batch(['a', 'b']), ...INVALID],
  ['a batch that is an object', batch({ content: 'x' }), ...INVALID],
  ['a batch without memories', post('/memory/batch', {}), ...INVALID],
  [
    'an unknown field beside the batch',
    post('/memory/batch', { memories: [{ content: 'x' }], n: 1 }),
    ...INVALID,
  ],
  [
    'a batch of more than 32 MB',
    batch(vector((i) => ({ content: `${i}`, metadata: { a: 'x'.repeat(70_000) } }), 500)),
    413,
    'request.too_large',
  ],
  ['associations of nothing', post('/associate', { associations: [] }), ...INVALID],
  [
    '501 associations',
    post('/associate', {
      associations: vector(
        () => ({ memory1_id: randomUUID(), memory2_id: randomUUID(), type: 'RELATES_TO' }),
        501,
      ),
    }),
    ...INVALID,
  ],
];

export function badReferences({ memory }: Existing): BadRequest[] {
  const associate = (fields: object): RawRequest =>
    post('/associate', { memory1_id: memory, memory2_id: randomUUID(), type: 'RELATES_TO', ...fields });
  const patch = (body: unknown): RawRequest => ({ ...post(`/memory/${memory}`, body), method: 'PATCH' });
  return [
    ['an id that is no UUID, read', get('/memory/nope'), 404, 'memory.not_found'],
    ['its history', get('/memory/nope/history'), 404, 'memory.not_found'],
    ['its relations', get('/memories/nope/related'), 404, 'memory.not_found'],
    ['deleted', { method: 'DELETE', path: '/memory/nope' }, 404, 'memory.not_found'],
    [
      'a UUID of nothing, deleted',
      { method: 'DELETE', path: `/memory/${randomUUID()}` },
      404,
      'memory.not_found',
    ],
    [
      'a UUID of nothing, changed',
      { ...patch({ importance: 1 }), path: `/memory/${randomUUID()}` },
      404,
      'memory.not_found',
    ],
    ['a change of nothing', patch({}), ...INVALID],
    ['a change to nothing', patch({ content: '' }), ...INVALID],
    ['a change of the id', patch({ id: randomUUID() }), ...INVALID],
    ['a change of an unknown field', patch({ colour: 1 }), ...INVALID],
    ['a change by broken JSON', patch('{'), ...MALFORMED],
    ['a change to importance 2', patch({ importance: 2 }), ...INVALID],
    ['the same id with another body', store({ id: memory, content: 'Another' }), 409, 'memory.conflict'],
    ['a relation with itself', associate({ memory2_id: memory }), 422, 'relation.invalid'],
    ['a relation to nothing', associate({}), 404, 'memory.not_found'],
    ['a relation of an unknown type', associate({ type: 'LIKES' }), ...INVALID],
    ['a relation that is too strong', associate({ strength: 1.5 }), ...INVALID],
    ['a relation of no UUID', associate({ memory2_id: 'x' }), ...INVALID],
    ['one relation and many', associate({ associations: [{}] }), ...INVALID],
    ['relations to depth 4', get(`/memories/${memory}/related?max_depth=4`), ...INVALID],
    ['relations to depth 0', get(`/memories/${memory}/related?max_depth=0`), ...INVALID],
  ];
}

const cursor = writeCursor({ time: new Date(), id: randomUUID() });

export const BAD_QUERIES: BadRequest[] = [
  ['limit 0', get('/recall?limit=0'), ...INVALID],
  ['limit -1', get('/v1/memories?limit=-1'), ...INVALID],
  ['limit 1e9', get('/v1/memories?limit=1e9'), ...INVALID],
  ['limit abc', get('/v1/memories?limit=abc'), ...INVALID],
  ['limit 1.5', get('/recall?limit=1.5'), ...INVALID],
  ['limit 101', get('/recall?limit=101'), ...INVALID],
  ['two limits', get('/recall?limit=1&limit=2'), ...INVALID],
  ['two queries', get('/recall?query=a&query=b'), ...INVALID],
  ['a query by brackets', get('/recall?query[a]=b'), ...INVALID],
  ['an unknown parameter', get('/recall?question=x'), ...INVALID],
  ['a cursor that is none', get('/v1/memories?cursor=abc'), ...INVALID],
  ['a cursor that was changed', get(`/v1/memories?cursor=${cursor.slice(0, -4)}`), ...INVALID],
  [
    'a cursor of another time',
    get(`/v1/memories?cursor=${Buffer.from('1e99/x').toString('base64url')}`),
    ...INVALID,
  ],
  [
    'a cursor before all times',
    get(`/v1/memories?cursor=${Buffer.from(`-8640000000000000/${randomUUID()}`).toString('base64url')}`),
    ...INVALID,
  ],
  ['a day that does not exist', get('/recall?query=x&start=2023-02-30'), ...INVALID],
  ['an end before the start', get('/recall?query=x&start=2026-02-01&end=2026-01-01'), ...INVALID],
  ['min_score 7', get('/recall?query=x&min_score=7'), ...INVALID],
  ['a tag mode of another kind', get('/recall?query=x&tags=a&tag_mode=some'), ...INVALID],
  ['a sort of another kind', get('/recall?query=x&sort=best'), ...INVALID],
  ['explain maybe', get('/recall?query=x&explain=maybe'), ...INVALID],
  ['65 tags', get(`/recall?query=x&${vector((i) => `tags=t${i}`, 65).join('&')}`), ...INVALID],
  ['11 queries', post('/recall', { queries: vector((i) => `q${i}`, 11) }), ...INVALID],
  ['a query of 9,000 letters', post('/recall', { query: 'x'.repeat(9_000) }), ...INVALID],
  ['a limit as text in a body', post('/recall', { query: 'x', limit: '5' }), ...INVALID],
  ['NUL in a body’s query', post('/recall', '{"query":"\\u0000"}'), ...INVALID],
  ['by-tag without tags', get('/memory/by-tag'), ...INVALID],
  ['by-tag with an empty tag', get('/memory/by-tag?tags='), ...INVALID],
  ['deleting by no tag', { method: 'DELETE', path: '/memory/by-tag' }, ...INVALID],
  ['deleting by an empty tag', { method: 'DELETE', path: '/memory/by-tag?tags=&tags=,' }, ...INVALID],
];

export const BAD_URLS: BadRequest[] = [
  ['a percent sign alone', get('/memory/%'), ...MALFORMED],
  ['a percent escape that is none', get('/memory/%zz'), ...MALFORMED],
  ['a percent escape that is no UTF-8', get('/memory/%c3%28'), ...MALFORMED],
  ['NUL in the path', get('/memory/%00'), ...MALFORMED],
  ['NUL in the query', get('/recall?query=%00'), ...MALFORMED],
  ['an unknown route', get('/v2/memory'), 404, 'route.not_found'],
  ['a path upwards', get('/v1/../admin/../nowhere'), 404, 'route.not_found'],
  ['a method that the path has not', { method: 'PATCH', path: '/recall' }, 405, 'request.method_not_allowed'],
  ['TRACE', { method: 'TRACE', path: '/memory' }, 405, 'request.method_not_allowed'],
  ['PUT on a collection', { ...store({}), method: 'PUT' }, 405, 'request.method_not_allowed'],
  ['a token in the URL', get('/recall?query=x&token=loci_live_abc'), 400, 'request.token_in_url'],
  ['an API key in the URL', get('/recall?api_key=loci_live_abc'), 400, 'request.token_in_url'],
  ['an access token in the URL', get('/recall?Access_Token=x'), 400, 'request.token_in_url'],
  ['a URL of 20,000 letters', get(`/recall?query=${'x'.repeat(20_000)}`), 431, 'request.headers_too_large'],
  [
    'a header of 20,000 letters',
    { path: '/recall', headers: { 'X-Long': 'x'.repeat(20_000) } },
    ...([431, 'request.headers_too_large'] as const),
  ],
  ['an unknown parameter of 8,000 letters', get(`/recall?x=${'y'.repeat(8_000)}`), ...INVALID],
];
