import type { EmbeddingUrgency } from '../../src/models/embedder.js';
import { TextQueue } from '../../src/models/embedded/text-queue.js';

interface Text {
  name: string;
  urgency: EmbeddingUrgency;
}

function rest(queue: TextQueue<Text>): string[] {
  const names: string[] = [];
  for (let text = queue.next(); text !== undefined; text = queue.next()) names.push(text.name);
  return names;
}

it('queries go before bulk, each first come, first served, and what is put back goes first of its kind', () => {
  const queue = new TextQueue<Text>();
  for (const name of ['b1', 'q1', 'b2', 'b3', 'q2']) {
    queue.add({ name, urgency: name.startsWith('q') ? 'query' : 'bulk' });
  }
  expect(queue.first()?.name).toBe('q1');
  expect([queue.next()?.name, queue.next()?.name, queue.next()?.name]).toEqual(['q1', 'q2', 'b1']);
  queue.add({ name: 'b4', urgency: 'bulk' });
  queue.putBack({ name: 'b1', urgency: 'bulk' });
  queue.add({ name: 'q3', urgency: 'query' });
  expect(queue.length).toBe(5);
  expect(rest(queue)).toEqual(['q3', 'b1', 'b2', 'b3', 'b4']);
  expect(queue.length).toBe(0);
});
