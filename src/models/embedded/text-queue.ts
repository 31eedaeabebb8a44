import type { EmbeddingUrgency } from '../embedder.js';

/** First come, first served; but all queries before any bulk text. */
export class TextQueue<T extends { readonly urgency: EmbeddingUrgency }> {
  private readonly lines = { query: new Line<T>(), bulk: new Line<T>() };

  get length(): number {
    return this.lines.query.length + this.lines.bulk.length;
  }

  add(text: T): void {
    this.lines[text.urgency].add(text);
  }

  /** Before all others of its urgency. */
  putBack(text: T): void {
    this.lines[text.urgency].putBack(text);
  }

  next(): T | undefined {
    return this.lines.query.take() ?? this.lines.bulk.take();
  }

  /** What `next()` would give. */
  first(): T | undefined {
    return this.lines.query.first() ?? this.lines.bulk.first();
  }
}

/** A list that gives up its front cheaply: an array's `shift()` is slow with tens of thousands. */
class Line<T> {
  /** The next one comes last. */
  private leaving: T[] = [];
  private arriving: T[] = [];

  get length(): number {
    return this.leaving.length + this.arriving.length;
  }

  add(item: T): void {
    this.arriving.push(item);
  }

  putBack(item: T): void {
    this.leaving.push(item);
  }

  take(): T | undefined {
    const item = this.first();
    this.leaving.pop();
    return item;
  }

  first(): T | undefined {
    if (this.leaving.length === 0) {
      this.leaving = this.arriving.reverse();
      this.arriving = [];
    }
    return this.leaving.at(-1);
  }
}
