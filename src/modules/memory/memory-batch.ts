import { RequestInvalid } from '../../platform/http/request.errors.js';
import { readItem } from '../../platform/http/validation.js';
import type { Masked } from '../../platform/scrub/scrub.js';
import type { MemoryEdge } from './memory-edge.js';
import { StoreMemoryDto, type RefusedMemoryDto, type StoreBatchDto } from './memory.dto.js';
import type { MemoryDraft } from './memory.js';

/** A batch as it came: what can be stored, each with its place, and what cannot, each with its reasons. */
export interface ReadBatch {
  drafts: MemoryDraft[];
  places: number[];
  refused: RefusedMemoryDto[];
}

/** What was masked is added to `masked`. Throws `RequestInvalid` where none of the batch can be stored. */
export function readBatch(edge: MemoryEdge, dto: StoreBatchDto, masked: Masked[]): ReadBatch {
  const drafts: MemoryDraft[] = [];
  const places: number[] = [];
  const refused: RefusedMemoryDto[] = [];
  dto.memories.forEach((item, index) => {
    const at = `body.memories[${index}]`;
    const read = readItem(StoreMemoryDto, item, at);
    try {
      if (read.errors !== null) throw new RequestInvalid(read.errors);
      const found: Masked[] = [];
      drafts.push(edge.draft(read.dto, at, found));
      for (const { field, ...what } of found) masked.push({ ...what, field: `memories[${index}].${field}` });
      places.push(index);
    } catch (error) {
      if (!(error instanceof RequestInvalid)) throw error;
      refused.push({
        index,
        code: error.code,
        detail: error.message,
        ...(error.details.errors === undefined ? {} : { errors: error.details.errors }),
      });
    }
  });
  if (drafts.length === 0) throw new RequestInvalid(refused.flatMap(({ errors }) => errors ?? []));
  return { drafts, places, refused };
}
