import { FIRST_MANNER, type ChatManner } from './chat-manner.js';
import { Slots } from './slots.js';

const FIRST_REST_MS = 2_000;
const LONGEST_REST_MS = 300_000;
const AT_ONCE = 2;

/**
 * What is known of a model at an endpoint, from one question to the next: how it wants to be asked, how many ask it now,
 * and that it did not answer. Whoever asks it then is told so at once, for a while that doubles with each failure: nobody
 * waits again and again for one that is away.
 */
export class ChatEndpoint {
  readonly slots: Slots;
  manner: ChatManner = FIRST_MANNER;
  private failures = 0;
  private restUntil = -Infinity;

  constructor(
    atOnce = AT_ONCE,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.slots = new Slots(atOnce);
  }

  /** For so long it is left in peace; 0: it can be asked. */
  restMs(): number {
    return Math.max(0, this.restUntil - this.now());
  }

  answered(): void {
    this.failures = 0;
  }

  failed(): void {
    this.restUntil = this.now() + Math.min(LONGEST_REST_MS, FIRST_REST_MS * 2 ** this.failures++);
  }
}
