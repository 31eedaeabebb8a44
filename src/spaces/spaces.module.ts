import { Global, Module } from '@nestjs/common';
import { HotSpaces } from './hot-spaces.js';
import { LateRuns } from './late-runs.js';
import { Reconciler } from './reconciler.js';
import { Spaces } from './spaces.js';
import { Verification } from './verification.js';

/** The indexes that are built from the ledger. Which engines hold them is decided at the start (`stores.module.ts`). */
@Global()
@Module({
  providers: [Spaces, HotSpaces, LateRuns, Reconciler, Verification],
  exports: [Spaces, HotSpaces, Reconciler, Verification],
})
export class SpacesModule {}
