import { Global, Module } from '@nestjs/common';
import { Spaces } from './spaces.js';

/** The indexes that are built from the ledger. Which engines hold them is decided at the start (`stores.module.ts`). */
@Global()
@Module({ providers: [Spaces], exports: [Spaces] })
export class SpacesModule {}
