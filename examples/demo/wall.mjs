import { randomUUID } from 'node:crypto';
import { cyan, dim, fitted, heading, say, verdict } from './screen.mjs';

/** Tries to get at one tenant's memories with another's key. Returns whether the wall held. */
export async function knockOnTheWall(mine, other) {
  const { question } = mine.conversation.questions[0];
  heading(`The same question, with the key of ${mine.slug} and with the key of ${other.slug}`);
  say(`  ${cyan(question)}`);
  const answers = [];
  for (const { slug, client } of [mine, other]) {
    const { results } = await client.recall(question);
    answers.push(results);
    for (const { score, memory } of results.slice(0, 2)) {
      say(`    ${dim(slug.padEnd(26))} ${score.toFixed(3)}  ${fitted(memory.content, 41)}`);
    }
  }
  const checks = [];
  const check = (held, text) => {
    checks.push(held);
    verdict(held, text);
  };
  const [own, foreign] = answers;
  const leaked = foreign.filter(({ id }) => !other.turnOf.has(id)).length;
  check(
    leaked === 0,
    `all ${foreign.length} answers to ${other.slug} are its own, none is from ${mine.slug}`,
  );

  const [{ id }] = own;
  const stranger = await other.client.ask('GET', `/memory/${id}`);
  const nobody = await other.client.ask('GET', `/memory/${randomUUID()}`);
  check(
    stranger.status === 404 && isSameRefusal(stranger, nobody),
    `asked for a memory of ${mine.slug} by its id, ${other.slug} hears ${stranger.status} ${stranger.body.code}, as for one that never existed`,
  );
  const change = await other.client.ask('PATCH', `/memory/${id}`, { content: 'Overwritten' });
  const removal = await other.client.ask('DELETE', `/memory/${id}`);
  const stillThere = await mine.client.ask('GET', `/memory/${id}`);
  check(
    change.status === 404 &&
      removal.status === 404 &&
      stillThere.body.memory?.content === own[0].memory.content,
    `it can neither change nor delete it (${change.status}, ${removal.status}): ${mine.slug} still reads it unchanged`,
  );
  const claim = await other.client.ask('GET', '/recall?query=key', undefined, { 'X-Tenant-ID': mine.slug });
  check(
    claim.status === 403,
    `saying "X-Tenant-ID: ${mine.slug}" with a foreign key is refused: ${claim.status} ${claim.body.code}`,
  );
  return checks.every(Boolean);
}

function isSameRefusal(one, other) {
  const shown = ({ status, body }) => JSON.stringify({ ...body, status, request_id: null });
  return shown(one) === shown(other);
}
