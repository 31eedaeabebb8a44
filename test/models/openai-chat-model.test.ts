import { Logger } from '@nestjs/common';
import type { ChatQuestion } from '../../src/models/chat-model.js';
import { FallbackChatModel } from '../../src/models/fallback-chat-model.js';
import { ChatUnavailable, QuestionRefused } from '../../src/models/models.errors.js';
import { answerJson } from '../../src/models/openai/answer-json.js';
import { ChatEndpoint } from '../../src/models/openai/chat-endpoint.js';
import { OpenAiChatModel, type OpenAiChatOptions } from '../../src/models/openai/openai-chat-model.js';
import { ChatServer } from './chat-server.js';
import type { Fault } from './embeddings-endpoint.js';

const apiKey = 'sk-this-must-never-be-seen';
/** For what is answered in the end, however busy the machine. */
const limits = { attemptMs: 10_000, deadlineMs: 30_000 };
/** For what is never answered, so that a suite does not wait. */
const short = { attemptMs: 300, deadlineMs: 900 };
const question: ChatQuestion = {
  task: 'Count the words.',
  material: '{"text": "a secret of three words"}',
  answer: { name: 'count', schema: { type: 'object', properties: { n: { type: 'integer' } } } },
  maxTokens: 77,
};

describe("a language model behind OpenAI's protocol", () => {
  let server: ChatServer;
  beforeAll(async () => {
    server = await ChatServer.start();
  });
  beforeEach(() => {
    server.reset();
    server.mind = () => ({ n: 5 });
  });
  afterAll(() => server.stop());

  const logged: unknown[][] = [];
  const log = (...said: unknown[]) => void logged.push(said);
  beforeAll(() => Logger.overrideLogger({ log, error: log, warn: log }));
  afterAll(() => Logger.overrideLogger(true));

  const closing = new AbortController().signal;
  const model = (options: Partial<OpenAiChatOptions> = {}) =>
    new OpenAiChatModel({
      baseUrl: server.baseUrl,
      apiKey,
      model: 'some-model',
      closing,
      limits,
      ...options,
    });

  async function failure(answer: Promise<unknown>): Promise<ChatUnavailable> {
    const error: unknown = await answer.then(
      () => null,
      (reason: unknown) => reason,
    );
    if (!(error instanceof ChatUnavailable)) throw new Error(`Not refused: ${String(error)}`);
    return error;
  }

  it('is asked with the key, by a schema, cold, and for a bounded answer; and tells what it took', async () => {
    expect(await model().ask(question)).toEqual({ value: { n: 5 }, tokens: { input: 100, output: 10 } });
    expect(server.seen).toHaveLength(1);
    expect(server.seen[0]?.authorization).toBe(`Bearer ${apiKey}`);
    expect(server.seen[0]?.body).toEqual({
      model: 'some-model',
      messages: [
        { role: 'system', content: question.task },
        { role: 'user', content: question.material },
      ],
      max_tokens: 77,
      temperature: 0,
      response_format: {
        type: 'json_schema',
        json_schema: { name: 'count', strict: true, schema: question.answer.schema },
      },
    });
  });

  it.each<[string, Fault[]]>([
    ['429', [{ kind: 'status', status: 429 }]],
    [
      '500, twice',
      [
        { kind: 'status', status: 500 },
        { kind: 'status', status: 500 },
      ],
    ],
    [
      'a reply that is no JSON',
      [{ kind: 'status', status: 200, headers: { 'content-type': 'application/json' }, body: '<html>' }],
    ],
    ['a cut connection', [{ kind: 'cut the connection' }]],
    ['silence', [{ kind: 'hang' }]],
    ['a reply that stops in the middle', [{ kind: 'hang in the body' }]],
  ])('is asked again after %s', async (_, faults) => {
    server.faults.push(...faults);
    const answer = await model({ limits: { attemptMs: 1_000, deadlineMs: 30_000 } }).ask(question);
    expect(answer.value).toEqual({ n: 5 });
    expect(server.seen.length).toBeGreaterThan(faults.length);
  });

  it('is asked for any JSON where it refuses a schema, for JSON in words where it refuses that, and so from then on', async () => {
    server.refuses = ({ body }) => ('response_format' in body ? { message: 'unknown parameter' } : null);
    server.mind = () => '<think>{"n": 4}?</think>Here it is:\n```json\n{"n": 5}\n```';
    const asked = model();
    expect((await asked.ask(question)).value).toEqual({ n: 5 });
    const formats = () => server.seen.map(({ body }) => (body['response_format'] as { type?: string })?.type);
    expect(formats()).toEqual(['json_schema', 'json_object', undefined]);
    expect(server.seen[2]?.task).toContain(JSON.stringify(question.answer.schema));
    await asked.ask(question);
    expect(formats()).toHaveLength(4);
  });

  it('is asked without what it names as unknown to it', async () => {
    server.refuses = ({ body }) => {
      if ('max_tokens' in body) return { message: 'Unsupported', param: 'max_tokens' };
      return 'temperature' in body ? { message: 'Only the default', param: 'temperature' } : null;
    };
    expect((await model().ask(question)).value).toEqual({ n: 5 });
    expect(server.seen.at(-1)?.body).toMatchObject({
      max_completion_tokens: 77,
      response_format: { type: 'json_schema' },
    });
    expect(server.seen).toHaveLength(3);
  });

  it.each<[string, () => void]>([
    ['refuses the question however it is put', () => (server.refuses = () => ({ message: 'no' }))],
    ['writes what is no JSON', () => (server.mind = () => 'Five, I think. {"n": 5')],
  ])('has refused where it %s, and is not away', async (_, arrange) => {
    arrange();
    const asked = model();
    expect(await failure(asked.ask(question))).toBeInstanceOf(QuestionRefused);
    server.reset();
    server.mind = () => ({ n: 5 });
    expect((await asked.ask(question)).value).toEqual({ n: 5 });
  });

  it.each<[string, () => void]>([
    ['is silent', () => server.faults.push(...Array.from({ length: 20 }, (): Fault => ({ kind: 'hang' })))],
    [
      'answers 401',
      () => server.faults.push({ kind: 'status', status: 401, body: `{"error": "${apiKey}"}` }),
    ],
    ['always answers 503', () => (server.away = true)],
  ])('is away where it %s, in words that hold neither key nor text', async (_, arrange) => {
    arrange();
    const error = await failure(model({ limits: short }).ask(question));
    expect(error).not.toBeInstanceOf(QuestionRefused);
    const said = JSON.stringify([error.message, error.details, String(error.stack), logged.flat()]);
    expect(said).toContain('The language model some-model does not answer');
    expect(said).not.toContain(apiKey);
    expect(said).not.toContain('three words');
  });

  it('is left in peace for a while after it was away, the longer the more often', async () => {
    let now = 0;
    const endpoint = new ChatEndpoint(1, () => now);
    server.faults.push({ kind: 'status', status: 401 }, { kind: 'status', status: 401 });
    await failure(model({ endpoint }).ask(question));
    const first = endpoint.restMs();
    await failure(model({ endpoint }).ask(question));
    expect([first > 0, server.seen.length]).toEqual([true, 1]);
    now += first;
    await failure(model({ endpoint }).ask(question));
    expect([endpoint.restMs() > first, server.seen.length]).toEqual([true, 2]);
    now += endpoint.restMs();
    expect((await model({ endpoint }).ask(question)).value).toEqual({ n: 5 });
  });

  it('gives way to the next of its chain where it is away or refuses, and only then', async () => {
    const other = await ChatServer.start();
    other.mind = () => ({ n: 6 });
    const chain = () => new FallbackChatModel([model(), model({ baseUrl: other.baseUrl, model: 'other' })]);
    expect((await chain().ask(question)).value).toEqual({ n: 5 });
    expect(other.seen).toEqual([]);
    server.faults.push({ kind: 'status', status: 401 });
    expect((await chain().ask(question)).value).toEqual({ n: 6 });
    server.mind = () => 'no';
    expect((await chain().ask(question)).value).toEqual({ n: 6 });
    other.faults.push({ kind: 'status', status: 401 });
    expect(await failure(chain().ask(question))).toBeInstanceOf(QuestionRefused);
    await other.stop();
  });

  it('asks no more of a chain whose models have taken too long', async () => {
    const other = await ChatServer.start();
    let seconds = 0;
    const models = [model(), model({ baseUrl: other.baseUrl, model: 'other' })];
    const chain = new FallbackChatModel(models, () => seconds * 1_000);
    server.mind = () => {
      seconds += 120;
      return 'no';
    };
    expect(await failure(chain.ask(question))).toBeInstanceOf(QuestionRefused);
    expect([server.seen.length, other.seen.length]).toEqual([1, 0]);
    await other.stop();
  });

  it('ends at once where the server stops', async () => {
    const stopping = new AbortController();
    server.faults.push({ kind: 'hang' });
    const asked = model({ closing: stopping.signal, limits: { attemptMs: 60_000, deadlineMs: 60_000 } }).ask(
      question,
    );
    stopping.abort();
    expect((await failure(asked)).details.internal).toContain('closing');
  });

  it.each([
    ['{"a": {"b": 1}}', { a: { b: 1 } }],
    ['```json\n{"a": 1}\n```', { a: 1 }],
    ['Sure: {"a": 1}. Anything else?', { a: 1 }],
    ['{"a": 1', undefined],
    ['', undefined],
    ['5', undefined],
  ])('is understood when it writes %j', (text, value) => {
    expect(answerJson(text)).toEqual(value);
  });
});
