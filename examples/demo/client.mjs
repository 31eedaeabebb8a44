import { URLSearchParams } from 'node:url';

/** Calls Loci with one token. */
export class Client {
  constructor(
    url,
    token,
    /** Ends what is under way. */
    signal,
  ) {
    this.url = url;
    this.token = token;
    this.signal = signal;
  }

  /** Status and body, whatever they are. */
  async ask(method, path, body, headers = {}) {
    const response = await fetch(this.url + path, {
      method,
      signal: this.signal,
      headers: {
        Authorization: `Bearer ${this.token}`,
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: await response.json() };
  }

  /** The body of a success; anything else throws. */
  async call(method, path, body) {
    const reply = await this.ask(method, path, body);
    if (reply.status >= 300) {
      const { title, detail, code } = reply.body;
      throw new Error(`${method} ${path} answered ${reply.status} ${code ?? ''}: ${detail ?? title}`);
    }
    return reply.body;
  }

  get(path) {
    return this.call('GET', path);
  }

  post(path, body) {
    return this.call('POST', path, body);
  }

  delete(path) {
    return this.call('DELETE', path);
  }

  /** The answer, and the milliseconds that it took from here. */
  async recall(question, limit = 10) {
    const began = performance.now();
    const query = new URLSearchParams({ query: question, limit: String(limit) });
    const answer = await this.get(`/recall?${query}`);
    return { ...answer, ms: performance.now() - began };
  }
}
