import { Module } from '@nestjs/common';
import { MemoryModule } from '../memory/memory.module.js';
import { EventPages } from './event-pages.service.js';
import { OpenStreams, STREAM_LIMITS } from './open-streams.js';
import { RevisionWatch } from './revision-watch.service.js';
import { StreamController } from './stream.controller.js';

/** What changes, told as it changes. */
@Module({
  imports: [MemoryModule],
  controllers: [StreamController],
  providers: [
    EventPages,
    RevisionWatch,
    { provide: OpenStreams, useFactory: () => new OpenStreams(STREAM_LIMITS) },
  ],
  exports: [EventPages],
})
export class EventsModule {}
