import { EventEmitter } from 'node:events';
import { Injectable } from '@nestjs/common';

/** Tells when the connection to the ledger is back after it was lost: whatever was assumed before may no longer hold. */
@Injectable()
export class LedgerConnection {
  private readonly emitter = new EventEmitter();

  returned(): void {
    this.emitter.emit('return');
  }

  onReturn(listener: () => void): void {
    this.emitter.on('return', listener);
  }
}
