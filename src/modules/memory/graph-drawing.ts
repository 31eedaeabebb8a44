import type { Memory } from './memory.js';
import type { NamedEntity } from './named-entities.js';
import { RELATION_TYPES, type RelationAttributes, type RelationType } from './relation-types.js';
import type { Relation } from './relation-rows.js';

/** Characters of a memory's content that are drawn; `GET /memory/:id` tells the rest. */
const DRAWN = 1_000;

/** Colours that differ on dark and on light; a tenant's own types have the last one. */
export const TYPE_COLORS: Readonly<Record<string, string>> = {
  Decision: '#3d7eff',
  Pattern: '#17b26a',
  Preference: '#9b6bff',
  Style: '#e64fa0',
  Habit: '#eaa413',
  Insight: '#f4713b',
  Context: '#7a8699',
  Episodic: '#2bb3c0',
  Semantic: '#5d8f2f',
  Reflective: '#b4536b',
};
const OTHER_COLOR = '#98a5b8';

export const ENTITY_COLORS: Readonly<Record<string, string>> = {
  people: '#c2419a',
  places: '#1f8a70',
  organizations: '#2f5fb3',
  dates: '#8a7a3d',
  tools: '#6b4fd0',
};
export const MENTION_COLOR = '#d5c4e8';

export const RELATION_COLORS: Readonly<Record<RelationType, string>> = {
  RELATES_TO: '#98a5b8',
  LEADS_TO: '#3d7eff',
  OCCURRED_BEFORE: '#7a8699',
  PREFERS_OVER: '#9b6bff',
  EXEMPLIFIES: '#17b26a',
  CONTRADICTS: '#e5484d',
  REINFORCES: '#2f9e6e',
  INVALIDATED_BY: '#f4713b',
  EVOLVED_INTO: '#2bb3c0',
  DERIVED_FROM: '#a78bda',
  PART_OF: '#5d8f2f',
  SIMILAR_TO: '#c3ccd9',
  PRECEDED_BY: '#b0b9c6',
  DISCOVERED: '#eaa413',
};

export interface DrawnNode {
  kind: 'memory' | 'entity';
  /** An entity's is its tag, `entity:people:alice-johnson`. */
  id: string;
  content: string;
  type: string;
  tags: string[];
  importance: number;
  confidence: number;
  timestamp: string;
  updated_at: string;
  color: string;
  /** 0.5..2, by importance: an entity's is its share of the mentions that the most mentioned has. */
  radius: number;
  /** 0.4..1, by confidence. */
  opacity: number;
}

export interface DrawnEdge {
  id: string;
  source: string;
  target: string;
  type: string;
  strength: number;
  color: string;
  properties: RelationAttributes;
}

export function drawnNode(memory: Memory): DrawnNode {
  const { id, content, type, tags, importance, confidence, timestamp, updatedAt } = memory;
  return {
    kind: 'memory',
    id,
    content: firstOf(content),
    type,
    tags,
    importance: rounded(importance),
    confidence: rounded(confidence),
    timestamp: timestamp.toISOString(),
    updated_at: updatedAt.toISOString(),
    color: Object.hasOwn(TYPE_COLORS, type) ? (TYPE_COLORS[type] ?? OTHER_COLOR) : OTHER_COLOR,
    radius: rounded(0.5 + importance * 1.5),
    opacity: rounded(0.4 + confidence * 0.6),
  };
}

export function drawnEdge({ id, from: source, to: target, type, strength, attributes }: Relation): DrawnEdge {
  const color = isRelationType(type) ? RELATION_COLORS[type] : OTHER_COLOR;
  return { id, source, target, type, strength: rounded(strength), color, properties: attributes };
}

/** Those that these memories name, with an edge from each memory that names one. */
export function drawnEntities(entities: readonly NamedEntity[]): { nodes: DrawnNode[]; edges: DrawnEdge[] } {
  const most = Math.max(1, ...entities.map(({ memories }) => memories.length));
  return {
    nodes: entities.map(({ tag, kind, name, memories, first, last }) => ({
      kind: 'entity',
      id: tag,
      content: name,
      type: kind,
      tags: [tag],
      importance: rounded(memories.length / most),
      confidence: 1,
      timestamp: first.toISOString(),
      updated_at: last.toISOString(),
      color: ENTITY_COLORS[kind] ?? OTHER_COLOR,
      radius: rounded(0.5 + (memories.length / most) * 1.5),
      opacity: 1,
    })),
    edges: entities.flatMap(({ tag, memories }) =>
      memories.map((memory) => ({
        ...{ id: `${memory}/${tag}`, source: memory, target: tag, type: 'MENTIONS', strength: 1 },
        ...{ color: MENTION_COLOR, properties: {} },
      })),
    ),
  };
}

/** Never half of a surrogate pair. */
function firstOf(content: string): string {
  if (content.length <= DRAWN) return content;
  return content.slice(0, DRAWN).replace(/[\uD800-\uDBFF]$/, '');
}

function isRelationType(type: string): type is RelationType {
  return (RELATION_TYPES as readonly string[]).includes(type);
}

function rounded(value: number): number {
  return Math.round(value * 1e4) / 1e4;
}
