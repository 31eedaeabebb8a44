import { Module } from '@nestjs/common';
import { BackfillSignal } from './backfill-signal.js';
import { CandidateGate } from './candidate-gate.service.js';
import { EntityExpansion } from './entity-expansion.service.js';
import { GraphController } from './graph.controller.js';
import { GraphService } from './graph.service.js';
import { LedgerCandidates } from './ledger-candidates.js';
import { MemoryAccess } from './memory-access.service.js';
import { MemoryController } from './memory.controller.js';
import { MemoryEdge } from './memory-edge.js';
import { MemoryEditorService } from './memory-editor.service.js';
import { MemoryRestoringController } from './memory-restoring.controller.js';
import { MemoryRestoring } from './memory-restoring.service.js';
import { MemoryReaderService } from './memory-reader.service.js';
import { MemoryStoreService } from './memory-store.service.js';
import { MemoryVectors } from './memory-vectors.js';
import { ModelChange } from './model-change.service.js';
import { QuestionEntities } from './question-entities.service.js';
import { QuestionVectors } from './question-vectors.js';
import { RecallController } from './recall.controller.js';
import { RecallExpansion } from './recall-expansion.service.js';
import { RecallReading } from './recall-reading.service.js';
import { RecallSearch } from './recall-search.service.js';
import { RecallService } from './recall.service.js';
import { RelationsController } from './relations.controller.js';
import { RelationsService } from './relations.service.js';
import { Speakers } from './speakers.js';
import { VectorBackfill } from './vector-backfill.service.js';

@Module({
  controllers: [
    MemoryController,
    RecallController,
    RelationsController,
    GraphController,
    MemoryRestoringController,
  ],
  providers: [
    BackfillSignal,
    CandidateGate,
    EntityExpansion,
    GraphService,
    LedgerCandidates,
    MemoryAccess,
    MemoryEdge,
    MemoryEditorService,
    MemoryReaderService,
    MemoryRestoring,
    MemoryStoreService,
    MemoryVectors,
    ModelChange,
    QuestionEntities,
    QuestionVectors,
    RecallExpansion,
    RecallReading,
    RecallSearch,
    RecallService,
    RelationsService,
    Speakers,
    VectorBackfill,
  ],
  exports: [MemoryEditorService, MemoryEdge, MemoryStoreService, MemoryVectors],
})
export class MemoryModule {}
