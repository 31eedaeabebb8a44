import { Injectable } from '@nestjs/common';

/** What a caller waits for. */
export interface Answer {
  /** Whether it has begun. */
  readonly headersSent: boolean;
}

/**
 * Whether somebody waits for an answer. What can be done later asks here first, and so leaves the processors to those who
 * wait.
 */
@Injectable()
export class Traffic {
  private readonly answers = new Set<Answer>();
  private lastMs = -Infinity;

  arrived(answer: Answer): void {
    this.answers.add(answer);
  }

  left(answer: Answer): void {
    this.answers.delete(answer);
    this.lastMs = performance.now();
  }

  /** Milliseconds since the last one had their answer; 0 while somebody waits. Who reads a stream has begun to be answered. */
  quietMs(): number {
    for (const { headersSent } of this.answers) if (!headersSent) return 0;
    return performance.now() - this.lastMs;
  }
}
