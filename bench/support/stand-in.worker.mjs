import { createServer, request } from 'node:http';
import { parentPort, workerData } from 'node:worker_threads';

/**
 * The tests' stand-in for Qdrant, with a memory for searches: it looks at every point, which would hide what is to be
 * measured. A search that was asked before is answered from what it answered then, at no cost.
 */
const { QdrantStandIn } = await import(workerData);
const standIn = await QdrantStandIn.start({ validate: false });
const behind = new URL(standIn.url);
const answers = new Map();

const server = createServer((asked, answer) => {
  const parts = [];
  asked.on('data', (part) => parts.push(part));
  asked.on('end', async () => {
    const body = Buffer.concat(parts);
    const isSearch = asked.url.endsWith('/points/query/batch');
    const name = isSearch ? `${asked.url} ${body.toString('base64')}` : null;
    const known = answers.get(name) ?? (await forward(asked, body));
    if (isSearch) answers.set(name, known);
    answer.writeHead(known.status, {
      'content-type': 'application/json',
      'content-length': known.body.length,
    });
    answer.end(known.body);
  });
});
server.listen(0, '127.0.0.1', () => parentPort.postMessage(`http://127.0.0.1:${server.address().port}`));

function forward({ method, url, headers }, body) {
  return new Promise((resolve, reject) => {
    const { hostname, port } = behind;
    const sent = request({ hostname, port, method, path: url, headers }, (response) => {
      const parts = [];
      response.on('data', (part) => parts.push(part));
      response.on('end', () => resolve({ status: response.statusCode, body: Buffer.concat(parts) }));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
