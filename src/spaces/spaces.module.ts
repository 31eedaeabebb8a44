import { Global, Module } from '@nestjs/common';
import { HotSpaces } from './hot-spaces.js';
import { Spaces } from './spaces.js';

/** The indexes that are built from the ledger. Which engines hold them is decided at the start (`stores.module.ts`). */
@Global()
@Module({ providers: [Spaces, HotSpaces], exports: [Spaces, HotSpaces] })
export class SpacesModule {}
