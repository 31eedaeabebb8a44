import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';

/** One message of a stream, as it came. */
export interface Message {
  event: string;
  id: string;
  data: Record<string, unknown>;
}

/** Reads Server-Sent Events as a client does, over a connection of its own. */
export class EventReader {
  readonly messages: Message[] = [];
  /** As a browser keeps it: also of messages that have no data. */
  lastId = '';
  ended = false;
  private rest = '';
  private waiting: (() => void)[] = [];

  private constructor(private readonly response: IncomingMessage) {
    response.setEncoding('utf8').on('data', (text: string) => this.take(text));
    response.on('error', () => undefined);
    response.once('close', () => {
      this.ended = true;
      this.stir();
    });
  }

  static async open(
    url: string,
    token: string,
    { query = '', headers = {} }: { query?: string; headers?: Record<string, string> } = {},
  ): Promise<EventReader> {
    const asking = request(`${url}/stream${query}`, {
      headers: { Authorization: `Bearer ${token}`, ...headers },
      agent: false,
    }).end();
    const [response] = (await once(asking, 'response')) as [IncomingMessage];
    return new EventReader(response);
  }

  get status(): number | undefined {
    return this.response.statusCode;
  }

  get contentType(): string | undefined {
    return this.response.headers['content-type'];
  }

  /** The first message of this kind that has not been asked for before. */
  async next(event: string): Promise<Message> {
    for (;;) {
      const at = this.messages.findIndex((message) => message.event === event);
      const [found] = at < 0 ? [] : this.messages.splice(0, at + 1).slice(-1);
      if (found !== undefined) return found;
      if (this.ended) throw new Error(`The stream ended without ${event}`);
      await new Promise<void>((resume) => this.waiting.push(resume));
    }
  }

  async end(): Promise<void> {
    while (!this.ended) await new Promise<void>((resume) => this.waiting.push(resume));
  }

  close(): void {
    this.response.destroy();
  }

  private take(text: string): void {
    const blocks = (this.rest + text).split('\n\n');
    this.rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const fields = new Map(
        block.split('\n').flatMap((line) => {
          const colon = line.indexOf(': ');
          return colon <= 0 ? [] : [[line.slice(0, colon), line.slice(colon + 2)] as const];
        }),
      );
      this.lastId = fields.get('id') ?? this.lastId;
      const data = fields.get('data');
      if (data === undefined) continue;
      this.messages.push({
        event: fields.get('event') ?? 'message',
        id: this.lastId,
        data: JSON.parse(data) as Record<string, unknown>,
      });
    }
    this.stir();
  }

  private stir(): void {
    for (const resume of this.waiting.splice(0)) resume();
  }
}
