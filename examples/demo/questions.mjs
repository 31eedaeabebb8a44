import { bold, cyan, dim, fitted, green, heading, say } from './screen.mjs';

/** Shown with their answers; all others are only counted. */
const SHOWN = 3;
const BEST = 3;

/** Asks what the data set asks, and counts how often a turn that holds the answer is among the best ten. */
export async function askQuestions({ slug, client, conversation, turnOf }, most) {
  const questions = evenly(conversation.questions, most);
  heading(`${slug} is asked ${questions.length} questions about ${conversation.speakers}`);
  const times = [];
  let found = 0;
  for (const [n, { question, answer, evidence }] of questions.entries()) {
    const { results, ms } = await client.recall(question);
    times.push(ms);
    const holdsAnswer = ({ id }) => evidence.includes(turnOf.get(id));
    if (results.some(holdsAnswer)) found++;
    if (n % Math.ceil(questions.length / SHOWN) !== 0) continue;
    say(`  ${cyan(question)} ${dim(`expected: ${answer} · ${ms.toFixed(0)} ms`)}`);
    for (const result of results.slice(0, BEST)) {
      const mark = holdsAnswer(result) ? green('●') : dim('·');
      const { content, timestamp } = result.memory;
      say(`    ${mark} ${result.score.toFixed(3)}  ${dim(timestamp.slice(0, 10))}  ${fitted(content, 25)}`);
    }
  }
  times.sort((a, b) => a - b);
  const at = (share) => times[Math.min(times.length - 1, Math.floor(times.length * share))].toFixed(0);
  say(
    `  A turn that holds the answer (${green('●')}) was among the best ten for ${bold(`${found} of ${questions.length}`)}` +
      ` ${dim(`· half within ${at(0.5)} ms, 95 % within ${at(0.95)} ms`)}`,
  );
}

/** As many as wanted, spread over the whole list. */
function evenly(list, most) {
  const step = Math.max(1, list.length / most);
  return Array.from({ length: Math.min(most, list.length) }, (_, i) => list[Math.floor(i * step)]);
}
