import { Agent, request } from 'node:http';

/** Calls routes with one token over kept connections, and says how long each answer took. */
export class Client {
  #agent;
  #token;

  constructor(url, token, connections = 64) {
    this.url = new URL(url);
    this.#token = token;
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
  }

  /** The same connections with another token. */
  as(token) {
    const other = new Client(this.url, token);
    other.#agent.destroy();
    other.#agent = this.#agent;
    return other;
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

  /** `ms`: from sending the request to the last byte of its answer; the JSON is read afterwards. Throws at 4xx and 5xx. */
  async call(method, path, body) {
    const text = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
    const startedAt = performance.now();
    const { status, answer } = await this.#send(method, path, text);
    const ms = performance.now() - startedAt;
    if (status >= 400)
      throw new Error(`${method} ${path.slice(0, 80)} answered ${status}: ${answer.slice(0, 500)}`);
    return { status, ms, body: answer === '' ? null : JSON.parse(answer) };
  }

  /** An answer that is no JSON. */
  async text(path) {
    const { status, answer } = await this.#send('GET', path);
    if (status >= 400) throw new Error(`GET ${path} answered ${status}: ${answer.slice(0, 500)}`);
    return answer;
  }

  /** How long an answer of this status took; throws at any other. */
  async timeOf(path, status) {
    const startedAt = performance.now();
    const reply = await this.#send('GET', path);
    const ms = performance.now() - startedAt;
    if (reply.status !== status) throw new Error(`GET ${path} answered ${reply.status}, not ${status}`);
    return ms;
  }

  close() {
    this.#agent.destroy();
  }

  /** A kept connection may be closed by the server in the very moment in which it is used again: then once more. */
  async #send(method, path, text) {
    try {
      return await this.#sendOnce(method, path, text);
    } catch (error) {
      if (error.code !== 'ECONNRESET' || !error.onKeptConnection) throw error;
      return this.#sendOnce(method, path, text);
    }
  }

  #sendOnce(method, path, text) {
    return new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${this.#token}` };
      if (text !== undefined) {
        headers['content-type'] = 'application/json';
        headers['content-length'] = Buffer.byteLength(text);
      }
      const { hostname, port } = this.url;
      const call = request({ hostname, port, path, method, headers, agent: this.#agent }, (response) => {
        const parts = [];
        response.on('data', (part) => parts.push(part));
        response.on('end', () =>
          resolve({ status: response.statusCode, answer: Buffer.concat(parts).toString('utf8') }),
        );
        response.on('error', reject);
      });
      call.on('error', (error) => reject(Object.assign(error, { onKeptConnection: call.reusedSocket })));
      call.end(text);
    });
  }
}
