/** Reads conversations in the format of the LoCoMo data set, which the short ones beside the demo have too. */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';

const OWN = new URL('../conversations.json', import.meta.url);
const LOCOMO = new URL('../../../shared/data/locomo-dev.json', import.meta.url);
/** LoCoMo's fifth category asks for what was never said. */
const UNANSWERABLE = 5;
const MONTHS = 'January February March April May June July August September October November December'.split(
  ' ',
);

/** Two conversations: from the file that was named, from LoCoMo where it lies beside the project, else our own. */
export function readConversations(file) {
  const source = file === undefined ? (existsSync(LOCOMO) ? LOCOMO : OWN) : resolve(file);
  const [first, second] = JSON.parse(readFileSync(source, 'utf8'));
  if (first === undefined || second === undefined)
    throw new Error(`${file} holds fewer than two conversations`);
  const from = source === OWN ? 'two short conversations of our own' : 'two conversations of LoCoMo';
  return { from: file === undefined ? from : file, conversations: [read(first), read(second)] };
}

function read({ sample_id: name, conversation, qa }) {
  const { speaker_a: one, speaker_b: other } = conversation;
  const memories = [];
  for (let n = 1; conversation[`session_${n}_date_time`] !== undefined; n++) {
    const began = timeOf(conversation[`session_${n}_date_time`]);
    (conversation[`session_${n}`] ?? []).forEach((turn, i) =>
      memories.push({
        content: `${turn.speaker}: ${turn.text}`,
        session_id: `session_${n}`,
        timestamp: new Date(began + i * 1000).toISOString(),
        tags: [turn.speaker.toLowerCase()],
        metadata: { turn: turn.dia_id },
      }),
    );
  }
  const questions = qa
    .filter(({ category, evidence }) => category !== UNANSWERABLE && evidence?.length > 0)
    .map(({ question, answer, evidence }) => ({ question, answer: String(answer), evidence }));
  return { name, speakers: `${one} and ${other}`, memories, questions };
}

/** `1:56 pm on 8 May, 2023`, taken as UTC. */
function timeOf(text) {
  const [, hour, minute, half, day, month, year] =
    /^(\d+):(\d+) ([ap]m) on (\d+) (\w+), (\d+)$/.exec(text) ?? [];
  const time = Date.UTC(year, MONTHS.indexOf(month), day, (hour % 12) + (half === 'pm' ? 12 : 0), minute);
  if (Number.isNaN(time)) throw new Error(`This is no time of a session: ${text}`);
  return time;
}
