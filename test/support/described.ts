import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { Caller, type Loci, type Reply } from './loci.js';

interface Media {
  schema?: object;
}
interface Described {
  $ref?: string;
  content?: Record<string, Media>;
}
type Operation = { responses: Record<string, Described> };

interface OpenApi {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, object>; responses: Record<string, Described> };
}

/** What `/openapi.json` says of every answer, as validators. An undeclared member of an answer is a fault too. */
export class Description {
  private readonly ajv = new Ajv2020({ strict: false, allErrors: true });
  private readonly validators = new Map<string, ValidateFunction | null>();
  /** `GET /memory/{id} 200`: what has been checked so far. */
  readonly checked = new Set<string>();

  private constructor(readonly document: OpenApi) {
    addFormats.default(this.ajv);
    for (const [name, schema] of Object.entries(document.components.schemas)) {
      if (name !== 'Problem') closeObjects(schema);
    }
    for (const operations of Object.values(document.paths))
      for (const { responses } of Object.values(operations)) closeObjects(responses);
    this.ajv.addSchema(document, 'openapi');
  }

  static async of(loci: Loci): Promise<Description> {
    const { body } = await loci.operator.get<OpenApi>('/openapi.json');
    return new Description(body);
  }

  /** `GET /memory/{id}`, for every operation. */
  operations(): string[] {
    return Object.entries(this.document.paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
    );
  }

  /** Of these operations (`GET /memory/{id}`) the ones that have given no answer of the 2xx kind so far. */
  unseen(operations: readonly string[]): string[] {
    return operations.filter((name) => ![...this.checked].some((seen) => seen.startsWith(`${name} 2`)));
  }

  /** What is wrong with an answer; null where it is as described. What no route answers is not described. */
  faultOf(method: string, path: string, { status, headers, body }: Reply<unknown>): string | null {
    const template = this.templateOf(path);
    const operation = template === null ? undefined : this.document.paths[template]?.[method.toLowerCase()];
    if (template === null || operation === undefined) {
      return status >= 400 && status < 500 ? null : `${method} ${path} is not described`;
    }
    const code = String(status) in operation.responses ? String(status) : 'default';
    if (code === 'default' && status < 400) return `${method} ${template} does not describe ${status}`;
    const name = `${method} ${template} ${status}`;
    this.checked.add(name);
    const type = headers.get('content-type')?.split(';')[0] ?? '';
    const validate = this.validatorOf(template, method, code, operation, type);
    if (validate === null) return `${name} describes no ${type}`;
    // Each line is an answer of its own.
    const parts = type === 'application/x-ndjson' && typeof body === 'string' ? linesOf(body) : [body];
    const bad = parts.find((part) => !validate(part));
    return bad === undefined
      ? null
      : `${name}: ${this.ajv.errorsText(validate.errors)} in ${JSON.stringify(bad)}`;
  }

  private validatorOf(
    template: string,
    method: string,
    code: string,
    operation: Operation,
    type: string,
  ): ValidateFunction | null {
    const name = `${method} ${template} ${code} ${type}`;
    const known = this.validators.get(name);
    if (known !== undefined) return known;
    const given = operation.responses[code];
    const response =
      given?.$ref === undefined
        ? given
        : this.document.components.responses[given.$ref.split('/').at(-1) ?? ''];
    const schema = response?.content?.[type]?.schema;
    // References are relative to the whole document.
    const made = schema === undefined ? null : this.ajv.compile(atDocument(schema));
    this.validators.set(name, made);
    return made;
  }

  private templateOf(path: string): string | null {
    const plain = path
      .replace(/\?.*$/s, '')
      .replace(/^\/api(?=\/v1\/)/, '')
      .replace(/(?<=.)\/$/, '');
    if (plain in this.document.paths) return plain;
    const parts = plain.split('/');
    const fits = (template: string): boolean => {
      const wanted = template.split('/');
      return (
        wanted.length === parts.length && wanted.every((part, i) => part.startsWith('{') || part === parts[i])
      );
    };
    return Object.keys(this.document.paths).find(fits) ?? null;
  }
}

/** A caller each of whose answers must be as `/openapi.json` says. */
export class DescribedCaller extends Caller {
  constructor(
    base: () => string,
    token: string,
    private readonly description: Description,
  ) {
    super(base, token);
  }

  override async call<Body = Record<string, unknown>>(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Reply<Body>> {
    const reply = await super.call<Body>(method, path, body, headers);
    const fault = this.description.faultOf(method, path, reply);
    if (fault !== null) throw new Error(fault);
    return reply;
  }
}

function linesOf(text: string): unknown[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown);
}

/** Objects that name their members take no others, unless they say so. */
function closeObjects(schema: unknown): void {
  if (typeof schema !== 'object' || schema === null) return;
  const object = schema as Record<string, unknown>;
  if (object['type'] === 'object' && 'properties' in object) object['additionalProperties'] ??= false;
  for (const member of Object.values(object)) closeObjects(member);
}

function atDocument(schema: object): object {
  return JSON.parse(JSON.stringify(schema).replaceAll('"$ref":"#/', '"$ref":"openapi#/')) as object;
}
