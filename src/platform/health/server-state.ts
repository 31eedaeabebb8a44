import { Injectable } from '@nestjs/common';

/** Where this process is in its life. `main` moves it on; the edge and `/health/ready` read it. */
@Injectable()
export class ServerState {
  #phase: 'starting' | 'ready' | 'stopping' = 'starting';

  get phase(): 'starting' | 'ready' | 'stopping' {
    return this.#phase;
  }

  becomeReady(): void {
    if (this.#phase === 'starting') this.#phase = 'ready';
  }

  /** From here on new requests are refused with 503 `server.stopping`; running ones are finished. */
  beginStopping(): void {
    this.#phase = 'stopping';
  }
}
