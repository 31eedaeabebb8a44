import { readFileSync } from 'node:fs';
import { Refused } from './options.mjs';

const MONTHS = ['january', 'february', 'march', 'april', 'may', 'june', 'july'];
MONTHS.push('august', 'september', 'october', 'november', 'december');

/** Reads conversations in LoCoMo's own layout. Throws `Refused` where the file is none. */
export function readLocomo(file, { captions = false } = {}) {
  let samples;
  try {
    samples = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new Refused(`${file} cannot be read as JSON: ${error.code ?? 'not JSON'}`);
  }
  if (
    !Array.isArray(samples) ||
    samples.some(({ conversation, qa }) => !conversation || !Array.isArray(qa))
  ) {
    throw new Refused(`${file} is no LoCoMo file: a list of samples, each with a conversation and its qa.`);
  }
  return samples.map((sample, at) => readSample(sample, at, captions));
}

/** @returns {{ name: string, memories: object[], questions: object[], without: number }} `without`: questions that name no turn that exists. */
function readSample({ sample_id: id, conversation, qa }, at, captions) {
  const memories = [];
  for (const [session, turns] of Object.entries(conversation)) {
    if (!/^session_\d+$/.test(session) || !Array.isArray(turns)) continue;
    const day = parseDay(conversation[`${session}_date_time`]);
    for (const [order, turn] of turns.entries()) {
      const caption = captions && turn.blip_caption ? ` [shares ${turn.blip_caption}]` : '';
      memories.push({
        content: `${turn.speaker}: ${turn.text}${caption}`,
        session_id: session,
        timestamp: new Date(day + order * 1_000).toISOString(),
        tags: [],
        metadata: { dia_id: turn.dia_id },
      });
    }
  }
  memories.sort((a, b) => (a.timestamp < b.timestamp ? -1 : a.timestamp > b.timestamp ? 1 : 0));
  const known = new Set(memories.map(({ metadata }) => metadata.dia_id));
  const asked = qa.map(({ question, category, evidence }) => ({
    question,
    category,
    // Some strings hold several ids, and some ids name no turn.
    evidence: [...new Set((evidence ?? []).flatMap((ids) => ids.split(/[;,\s]+/)))].filter((turn) =>
      known.has(turn),
    ),
  }));
  const questions = asked.filter(({ evidence }) => evidence.length > 0);
  return {
    name: id ?? `conversation-${at + 1}`,
    memories,
    questions,
    without: asked.length - questions.length,
  };
}

/** '1:56 pm on 8 May, 2023', in UTC. */
function parseDay(text) {
  const match = /^(\d{1,2}):(\d{2}) ?([ap]m) on (\d{1,2}) ([a-z]+),? (\d{4})$/i.exec(String(text).trim());
  const month = MONTHS.indexOf(match?.[5]?.toLowerCase() ?? '');
  if (match === null || month < 0) throw new Refused(`A session's date cannot be read: ${text}`);
  const [, hour, minute, half, day, , year] = match;
  return Date.UTC(+year, month, +day, (+hour % 12) + (half.toLowerCase() === 'pm' ? 12 : 0), +minute);
}
