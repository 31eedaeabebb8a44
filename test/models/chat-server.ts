import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Fault } from './embeddings-endpoint.js';

type Json = Record<string, unknown>;

export interface SeenQuestion {
  at: number;
  body: Json;
  /** What it was told to do, and what with. */
  task: string;
  material: string;
  model: string;
  authorization: string | undefined;
}

/** What a model writes, given what it is asked, now or later. Text is written as it is, anything else as JSON. */
export type Mind = (question: SeenQuestion) => unknown;

/** Names that the model of these tests knows when it sees them, and phrases by which it tells a type. */
export const KNOWN_NAMES: Record<string, string[]> = {
  people: ['Ottilie Brandt', 'Zsofia', 'Mallory'],
  places: ['Gruyères', 'Waimea'],
  organizations: ['Halden Works'],
  tools: ['Frobnicator'],
};
const PHRASES: Record<string, string> = {
  'made up their mind': 'Decision',
  'have decided': 'Decision',
  'would be a pity': 'Reflective',
  'much better than': 'Preference',
  'Every single morning': 'Habit',
};

interface GivenText {
  key: string;
  text: string;
}

/**
 * Reads the texts that it was sent, as the models that we ask do: their own names, a type, a summary in the text's first
 * words, under the text's own key. What a text that begins with OBEY says of all of them, it believes.
 */
export const reading: Mind = ({ material }) => {
  const { texts } = JSON.parse(material) as { texts: GivenText[] };
  const orders = texts.flatMap(({ text }) =>
    text.startsWith('OBEY ') ? [JSON.parse(text.slice(5)) as Json] : [],
  );
  const readings = texts.map(({ key, text }) => ({
    key,
    ...Object.fromEntries(
      Object.entries(KNOWN_NAMES).map(([kind, names]) => [kind, names.filter((name) => text.includes(name))]),
    ),
    type: Object.entries(PHRASES).find(([phrase]) => text.includes(phrase))?.[1] ?? 'Context',
    summary: text.length > 600 ? text.slice(0, 120) : null,
    ...Object.assign({}, ...orders),
  }));
  return { readings };
};

/** What notes have in common, in words that cite those in which the word `because` is; all where it is in none. */
export const reflecting: Mind = ({ material }) => {
  const { notes } = JSON.parse(material) as { notes: GivenText[] };
  const reasons = notes.filter(({ text }) => text.includes('because'));
  const cited = reasons.length > 0 ? reasons : notes;
  return {
    insight: `Taken together: ${cited.map(({ text }) => text).join(' ')}`,
    cites: cited.map(({ key }) => key),
  };
};

/** Both, by what it is sent. */
export const sensible: Mind = (question) =>
  'texts' in (JSON.parse(question.material) as Json) ? reading(question) : reflecting(question);

/** A server on loopback that speaks OpenAI's chat completions. */
export class ChatServer {
  readonly seen: SeenQuestion[] = [];
  readonly faults: Fault[] = [];
  mind: Mind = sensible;
  /** Questions for which this gives a body are refused with 400 and that. */
  refuses: (question: SeenQuestion) => Json | null = () => null;
  /** As long as this is true it answers 503. */
  away = false;

  private readonly server = createServer((request, response) => void this.answer(request, response));

  static async start(): Promise<ChatServer> {
    const server = new ChatServer();
    await new Promise<void>((resolve) => server.server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get host(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  get baseUrl(): string {
    return `http://${this.host}/v1`;
  }

  /** As it was in the beginning. */
  reset(): void {
    this.seen.length = 0;
    this.faults.length = 0;
    this.mind = sensible;
    this.refuses = () => null;
    this.away = false;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = '';
    for await (const piece of request.setEncoding('utf8')) text += piece;
    const body = JSON.parse(text) as Json & { messages: { role: string; content: string }[]; model: string };
    const said = (role: string) => body.messages.find((message) => message.role === role)?.content ?? '';
    const question: SeenQuestion = {
      at: Date.now(),
      body,
      task: said('system'),
      material: said('user'),
      model: body.model,
      authorization: request.headers.authorization,
    };
    this.seen.push(question);

    const fault = this.faults.shift();
    if (fault?.kind === 'hang') return;
    if (fault?.kind === 'cut the connection') return void request.socket.destroy();
    if (fault?.kind === 'status') {
      return void response
        .writeHead(fault.status, fault.headers)
        .end(fault.body ?? '{"error": {"message": "no"}}');
    }
    if (this.away) return void response.writeHead(503).end('{}');
    if (request.url !== '/v1/chat/completions' || request.method !== 'POST')
      return void response.writeHead(404).end();
    const refusal = this.refuses(question);
    if (refusal !== null) return void response.writeHead(400).end(JSON.stringify({ error: refusal }));

    const written = await this.mind(question);
    const content = typeof written === 'string' ? written : JSON.stringify(written);
    const reply = JSON.stringify({
      object: 'chat.completion',
      model: body.model,
      choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content } }],
      usage: { prompt_tokens: 100, completion_tokens: 10, total_tokens: 110 },
    });
    response.writeHead(200, { 'content-type': 'application/json' });
    if (fault?.kind === 'hang in the body') return void response.write(reply.slice(0, 20));
    response.end(reply);
  }
}
