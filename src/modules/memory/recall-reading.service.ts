import { Injectable } from '@nestjs/common';
import type { LedgerRead } from '../../ledger/ledger.js';
import { termsOf } from '../../spaces/terms.js';
import { isUuid, type WorkspaceId } from '../../tenancy/tenant.js';
import { CandidateGate } from './candidate-gate.service.js';
import { filterOf } from './memory-filter.js';
import { relevanceOf } from './memory-relevance.js';
import { readMemories, readSealed } from './memory-rows.js';
import type { Memory } from './memory.js';
import { holdsOneOf, isRanked, phrasesIn, type Question } from './question.js';
import { noParts, type LaterFacts } from './ranking-parts.js';
import { rankSettled, type Ranked, type RankingWeights } from './recall-ranking.js';
import { aboveFloor } from './score-floor.js';
import { supersessionsOf, type Supersession } from './superseded-memories.js';

/** What only the ledger tells may lift a memory by so many places: these are opened besides. What texts tell lifts more. */
const LOOKED_BEYOND = { usually: 5, forTexts: 20 };
/** Characters of a content in which a caller's hints are looked for: this is work for the one thread that answers everybody. */
const READ_FOR_HINTS = 2_000;

export interface RecalledMemory extends Ranked {
  memory: Memory;
  /** What it holds in place of now, though the question found that. */
  replaces: string[];
  /** It is here, or first, because the caller named it. */
  pinned?: true;
  /** It has none of the tags that were asked for: it fills up what these left. */
  outside?: true;
}

/** A memory that the question found, and that gave its place to what holds now. */
export interface Superseded extends Supersession {
  id: string;
}

/** Reads the best of what was ranked, and settles their order by what only the ledger tells. */
@Injectable()
export class RecallReading {
  constructor(private readonly gate: CandidateGate) {}

  /**
   * The best that the ledger still has, after those that the caller named. What it no longer has makes room for the next
   * best; and what was superseded gives its place to what holds now, unless the past is asked for.
   */
  async read(
    tx: LedgerRead,
    workspace: WorkspaceId,
    ranked: Ranked[],
    question: Question,
    weights: RankingWeights,
  ): Promise<{ memories: RecalledMemory[]; superseded: Superseded[] }> {
    const { queries, context, filter, offset, minScore } = question;
    const limit = offset + question.limit;
    const ranks = isRanked(question);
    const current = filter.validAt !== undefined;
    const phrases = queries.flatMap(phrasesIn);
    const hinted = context.words.length > 0 || context.types.length > 0;
    const beyond = hinted || phrases.length > 0 ? LOOKED_BEYOND.forTexts : LOOKED_BEYOND.usually;
    const wanted = ranks ? limit + beyond : limit;
    const all = namedFirst(question, ranked);
    const read = new Map<string, SealedMemory>();
    const superseded: Superseded[] = [];
    for (let next = 0; next < all.length && read.size < wanted;) {
      const chosen = all.slice(next, next + wanted - read.size);
      next += chosen.length;
      const ids = chosen.map(({ id }) => id);
      // What is no UUID came from no ledger of ours: the gate hears of it.
      const known = ids.filter(isUuid);
      const [found, relevance, heads] = await Promise.all([
        readSealed(tx, workspace, known),
        ranks ? relevanceOf(tx, workspace, known) : NO_RELEVANCE,
        current ? supersessionsOf(tx, workspace, known) : NONE,
      ]);
      const successors =
        heads.size === 0
          ? NO_MEMORIES
          : await readMemories(
              tx,
              workspace,
              [...heads.values()].map(({ head }) => head),
            );
      // The space has let through what it proposed; the filter is asked of what comes by another way.
      const unasked = chosen.flatMap(({ id, proposed }) => {
        const open = proposed ? undefined : found.get(id);
        return open === undefined ? [] : [[id, open()] as const];
      });
      const passes = await filterOf(tx, workspace, filter, new Map([...successors, ...unasked]));
      for (const one of chosen) {
        const supersession = heads.get(one.id);
        if (supersession !== undefined && found.has(one.id)) superseded.push({ id: one.id, ...supersession });
        const id = supersession?.head ?? one.id;
        const successor = supersession === undefined ? undefined : successors.get(id);
        const open = successor === undefined ? found.get(id) : () => successor;
        if (open === undefined) continue;
        if (supersession !== undefined && !(successor && passes(successor))) continue;
        if (supersession === undefined && !one.proposed && !passes(open())) continue;
        const before = read.get(id) ?? {
          ...{ ...one, id, open, replaces: [] },
          relevance: relevance.get(id) ?? null,
        };
        read.set(
          id,
          supersession === undefined ? before : { ...before, replaces: [...before.replaces, one.id] },
        );
      }
      await this.gate.examine(
        tx,
        workspace,
        chosen.filter(({ id, proposed }) => proposed && !found.has(id)).map(({ id }) => id),
      );
    }
    const sealed = [...read.values()];
    if (!ranks) return { memories: sealed.slice(offset, limit).map(opened), superseded };
    // Of what the space did not propose nothing is known that could be weighed.
    const settled = rankSettled(
      sealed.filter(({ proposed }) => proposed),
      ({ open, relevance }): LaterFacts => ({
        holdsPhrase: phrases.length === 0 ? null : holdsOneOf(phrases, open().content),
        relevance,
        fits: hinted ? fitOf(context, open) : null,
      }),
      weights,
    );
    const named = [...settled, ...sealed.filter(({ proposed }) => !proposed)]
      .filter(({ pin }) => pin !== null)
      .sort((a, b) => (a.pin ?? 0) - (b.pin ?? 0));
    const others = settled.filter(({ pin, score }) => pin === null && score >= minScore);
    const kept = question.floor === null ? others : aboveFloor(others, question.floor);
    return { memories: [...named, ...kept].slice(offset, limit).map(opened), superseded };
  }
}

interface Chosen extends Ranked {
  /** By the space. Not: the caller named it, and it is not known whether the filter lets it through. */
  proposed: boolean;
  /** Its place among those that the caller named. */
  pin: number | null;
}

/** One that was read, and need not be opened. */
interface SealedMemory extends Chosen {
  open: () => Memory;
  replaces: string[];
  relevance: number | null;
}

function namedFirst({ pinned }: Question, ranked: Ranked[]): Chosen[] {
  if (pinned.length === 0) return ranked.map((one) => ({ ...one, proposed: true, pin: null }));
  const proposed = new Map(ranked.map((one) => [one.id, one]));
  const named = pinned.map((id, pin): Chosen => {
    const one = proposed.get(id);
    proposed.delete(id);
    return one === undefined
      ? { id, score: 0, parts: noParts(), proposed: false, pin }
      : { ...one, proposed: true, pin };
  });
  return [...named, ...[...proposed.values()].map((one) => ({ ...one, proposed: true, pin: null }))];
}

function fitOf({ types, words }: Question['context'], open: () => Memory): LaterFacts['fits'] {
  const { type, content } = open();
  const held = new Set(words.length === 0 ? [] : termsOf(content.slice(0, READ_FOR_HINTS)));
  return {
    type: types.includes(type.toLowerCase()),
    words: words.filter((word) => word.some((term) => held.has(term))).length,
  };
}

function opened({ id, score, parts, open, replaces, pin }: SealedMemory): RecalledMemory {
  return { id, score, parts, memory: open(), replaces, ...(pin === null ? {} : { pinned: true }) };
}

const NONE: ReadonlyMap<string, Supersession> = new Map();
const NO_MEMORIES: ReadonlyMap<string, Memory> = new Map();
const NO_RELEVANCE: ReadonlyMap<string, number> = new Map();
