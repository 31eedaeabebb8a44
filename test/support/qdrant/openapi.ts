import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';
import { cannotRun } from '../cannot-run.js';

type Schema = Record<string, unknown>;

interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header';
  required?: boolean;
  schema: Schema;
}

interface Operation {
  parameters?: Parameter[];
  requestBody?: { content: Record<string, { schema: Schema }> };
  responses: Record<string, { content?: Record<string, { schema: Schema }> }>;
}

interface Description {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
}

export interface DescribedRequest {
  method: string;
  /** As in the description: `/collections/{collection_name}/points`. */
  route: string;
  path: Record<string, string>;
  query: URLSearchParams;
  body: unknown;
}

const read = new Map<string, QdrantDescription>();

/**
 * Qdrant's own OpenAPI description as a judge of requests, and of the stand-in's answers.
 *
 * It is read more strictly than it is written, so that a misspelled field is refused: an object takes the fields that
 * are described and no others. And one thing is put right: `{"nullable": true}` beside other choices is meant as
 * "or null", but read literally it lets anything through, which would make every optional field unchecked.
 */
export class QdrantDescription {
  private readonly ajv = new Ajv({ strict: false, allErrors: false });
  private readonly compiled = new Map<string, ValidateFunction>();

  private constructor(private readonly description: Description) {
    for (const [name, valid] of Object.entries(FORMATS)) {
      this.ajv.addFormat(name, { type: 'number', validate: valid });
    }
    this.ajv.addFormat('uuid', /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i);
    this.ajv.addFormat('date-time', (text) => !Number.isNaN(Date.parse(text)));
    const schemas = Object.fromEntries(
      Object.entries(description.components.schemas).map(([name, schema]) => [name, strict(schema)]),
    );
    this.ajv.addSchema({ $id: 'qdrant', components: { schemas } });
  }

  /** From `QDRANT_OPENAPI`, or `../shared/data/` beside the project; null, and said in words, where it is in neither. */
  static find(): QdrantDescription | null {
    const root = resolve(__dirname, '../../..');
    const file = process.env['QDRANT_OPENAPI'] ?? join(root, '../shared/data/qdrant-1.19-openapi.json');
    if (!existsSync(file)) {
      cannotRun(
        "Requests to Qdrant were not held against Qdrant's own OpenAPI description: name its file in QDRANT_OPENAPI.",
      );
      return null;
    }
    let known = read.get(file);
    if (known === undefined) {
      known = new QdrantDescription(JSON.parse(readFileSync(file, 'utf8')) as Description);
      read.set(file, known);
    }
    return known;
  }

  /** What is wrong with a request, or null. */
  requestFault(request: DescribedRequest): string | null {
    const operation = this.operation(request);
    if (operation === null) return `no ${request.method} ${request.route} is described`;
    const key = `${request.method} ${request.route}`;
    const parameters = operation.parameters ?? [];
    for (const { name, in: place, required, schema } of parameters) {
      const text = place === 'query' ? request.query.get(name) : (request.path[name] ?? null);
      if (place === 'header') continue;
      if (text === null) {
        if (required === true) return `${place}.${name} is missing`;
        continue;
      }
      // A word stays a word where the schema takes one: `123` may be a collection's name.
      const asText = this.fault(`${key} ${name}`, schema, text);
      if (asText !== null && this.fault(`${key} ${name}`, schema, plain(text)) !== null) {
        return `${place}.${name} ${asText}`;
      }
    }
    for (const name of request.query.keys()) {
      if (!parameters.some((one) => one.in === 'query' && one.name === name))
        return `query.${name} is unknown`;
    }
    const schema = operation.requestBody?.content['application/json']?.schema;
    if (schema === undefined) return request.body === undefined ? null : 'a body where none is taken';
    if (request.body === undefined) return 'the body is missing';
    const fault = this.fault(`${key} body`, schema, request.body);
    return fault === null ? null : `body${fault}`;
  }

  /** What is wrong with an answer of 200, or null: it keeps the stand-in honest. */
  answerFault(request: DescribedRequest, answer: unknown): string | null {
    const schema = this.operation(request)?.responses['200']?.content?.['application/json']?.schema;
    return schema === undefined ? null : this.fault(`${request.method} ${request.route} 200`, schema, answer);
  }

  private operation({ method, route }: DescribedRequest): Operation | null {
    return this.description.paths[route]?.[method.toLowerCase()] ?? null;
  }

  private fault(key: string, schema: Schema, value: unknown): string | null {
    let validate = this.compiled.get(key);
    if (validate === undefined) {
      validate = this.ajv.compile(strict(schema) as Schema);
      this.compiled.set(key, validate);
    }
    if (validate(value)) return null;
    const error = validate.errors?.[0];
    return `${error?.instancePath ?? ''} ${error?.message ?? 'does not fit'} (${JSON.stringify(error?.params)})`;
  }
}

const FORMATS: Record<string, (value: number) => boolean> = {
  float: Number.isFinite,
  double: Number.isFinite,
  uint: (value) => Number.isSafeInteger(value) && value >= 0,
  uint8: (value) => Number.isInteger(value) && value >= 0 && value < 2 ** 8,
  uint16: (value) => Number.isInteger(value) && value >= 0 && value < 2 ** 16,
  uint32: (value) => Number.isInteger(value) && value >= 0 && value < 2 ** 32,
  uint64: (value) => Number.isSafeInteger(value) && value >= 0,
  int32: (value) => Number.isInteger(value) && Math.abs(value) <= 2 ** 31,
  int64: (value) => Number.isSafeInteger(value),
};

function strict(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(strict);
  if (typeof schema !== 'object' || schema === null) return schema;
  const made: Schema = {};
  for (const [key, value] of Object.entries(schema)) {
    if (key === 'nullable' || key === 'example' || key === 'description' || key === 'default') continue;
    if (key === '$ref') made[key] = `qdrant${String(value)}`;
    else if (key === 'properties') {
      made[key] = Object.fromEntries(
        Object.entries(value as Schema).map(([name, one]) => [name, strict(one)]),
      );
    } else made[key] = strict(value);
  }
  const { nullable } = schema as { nullable?: boolean };
  if ('properties' in made && !('additionalProperties' in made) && !('anyOf' in made) && !('oneOf' in made)) {
    made['additionalProperties'] = false;
  }
  if (nullable !== true) return made;
  return Object.keys(made).length === 0 ? { type: 'null' } : { anyOf: [made, { type: 'null' }] };
}

function plain(text: string): unknown {
  if (text === 'true' || text === 'false') return text === 'true';
  return text.trim() !== '' && !Number.isNaN(Number(text)) ? Number(text) : text;
}
