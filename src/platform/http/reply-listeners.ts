import { Injectable } from '@nestjs/common';
import type { Reply } from './request-facts.js';

/** Whoever wants to hear of every reply once it is out. Listeners are quick, and never throw. */
@Injectable()
export class ReplyListeners {
  private readonly listeners: ((reply: Reply) => void)[] = [];

  add(listener: (reply: Reply) => void): void {
    this.listeners.push(listener);
  }

  tell(reply: Reply): void {
    for (const listener of this.listeners) listener(reply);
  }
}
