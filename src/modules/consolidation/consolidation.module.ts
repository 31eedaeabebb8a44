import { Module } from '@nestjs/common';
import { MemoryModule } from '../memory/memory.module.js';
import { PoliciesModule } from '../policies/policies.module.js';
import { Clustering } from './clustering.service.js';
import { ConsolidationController } from './consolidation.controller.js';
import { ConsolidationRuns } from './consolidation-runs.js';
import { ConsolidationSchedule } from './consolidation-schedule.service.js';
import { Consolidation } from './consolidation.service.js';
import { CreativeAssociation } from './creative.service.js';
import { Decay } from './decay.service.js';
import { Forgetting } from './forgetting.service.js';
import { MetaPatterns } from './meta-patterns.service.js';
import { NearPairs } from './near-pairs.service.js';
import { PatternWriters } from './pattern-writers.service.js';

/** What becomes of memories with time: they fade, are related, gathered into patterns, and forgotten. */
@Module({
  imports: [MemoryModule, PoliciesModule],
  controllers: [ConsolidationController],
  providers: [
    Clustering,
    Consolidation,
    ConsolidationRuns,
    ConsolidationSchedule,
    CreativeAssociation,
    Decay,
    Forgetting,
    MetaPatterns,
    NearPairs,
    PatternWriters,
  ],
})
export class ConsolidationModule {}
