import { Module } from '@nestjs/common';
import { MemoryModule } from '../memory/memory.module.js';
import { PoliciesModule } from '../policies/policies.module.js';
import { AnalysisService } from './analysis.service.js';
import { EnrichmentController } from './enrichment.controller.js';
import { Enrichment } from './enrichment.service.js';
import { EnrichmentStatus } from './enrichment-status.service.js';
import { EntitiesController } from './entities.controller.js';
import { EntitiesService } from './entities.service.js';
import { InsightsController } from './insights.controller.js';
import { LanguageEnrichment } from './language/language-enrichment.service.js';
import { LanguageReader } from './language/language-reader.js';
import { Neighbours } from './neighbours.service.js';
import { ReadingThread } from './reading/reading-thread.js';
import { TextReader } from './reading/text-reader.js';
import { StartupService } from './startup.service.js';

/** What is drawn from memories in the background, and what it tells. */
@Module({
  imports: [MemoryModule, PoliciesModule],
  controllers: [EnrichmentController, EntitiesController, InsightsController],
  providers: [
    AnalysisService,
    Enrichment,
    EnrichmentStatus,
    EntitiesService,
    LanguageEnrichment,
    LanguageReader,
    Neighbours,
    StartupService,
    { provide: TextReader, useClass: ReadingThread },
  ],
})
export class EnrichmentModule {}
