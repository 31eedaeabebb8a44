import type { Spoilt } from './vector-space.contract.js';

interface Point {
  id: string;
  payload: Record<string, unknown>;
  vector: Record<string, number[] | { indices: number[]; values: number[] }>;
}

/** Reads the one memory with this id from a Qdrant, changes so much of it and no more, and puts it back. */
export async function spoilPoint(
  server: { url: string; apiKey: string | null; collection: string },
  id: string,
  what: Spoilt,
): Promise<void> {
  const post = async (route: string, body: unknown): Promise<{ result: unknown }> => {
    const answer = await fetch(`${server.url}/collections/${server.collection}${route}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(server.apiKey === null ? {} : { 'api-key': server.apiKey }),
      },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${route} answered ${answer.status}: ${await answer.text()}`);
    return (await answer.json()) as { result: unknown };
  };
  const filter = { must: [{ key: 'id', match: { value: id } }] };
  const { result } = await post('/points/scroll', { filter, with_payload: true, with_vector: true });
  const [point] = (result as { points: Point[] }).points;
  if (point === undefined) throw new Error(`there is no memory ${id}`);
  spoil(point, what);
  await post('/points/batch?wait=true', { operations: [{ upsert: { points: [point] } }] });
}

function spoil({ payload, vector }: Point, what: Spoilt): void {
  const named = (name: string) => {
    const found = Object.entries(vector).find(([full]) => full.startsWith(`${name}_`));
    if (found === undefined) throw new Error(`the memory has no vector ${name}`);
    return found[1];
  };
  const flip = (numbers: ReturnType<typeof named>): void => {
    if (Array.isArray(numbers)) numbers[0] = -(numbers[0] ?? 0);
  };
  const loseWord = (words: ReturnType<typeof named>): void => {
    if (Array.isArray(words)) return;
    words.indices.pop();
    words.values.pop();
  };
  const spoilers: Record<Spoilt, () => void> = {
    vector: () => flip(named('alone')),
    'joined vector': () => flip(named('joined')),
    word: () => loseWord(named('text_alone')),
    'joined word': () => loseWord(named('text_joined')),
    type: () => void (payload['type'] = 'Other'),
    tag: () => void (payload['tags'] = ['drinks']),
    time: () => void (payload['timestamp'] = Number(payload['timestamp']) + 1),
    session: () => void delete payload['session'],
  };
  spoilers[what]();
}
