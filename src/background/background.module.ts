import { Global, Module } from '@nestjs/common';
import { DutyRoster } from './duty-roster.js';
import { FollowerStep } from './follower-step.js';
import { Followers } from './followers.service.js';
import { Schedule } from './schedule.service.js';

/** What the server does by itself: work that follows the ledgers, and work that is due now and then. */
@Global()
@Module({
  providers: [DutyRoster, FollowerStep, Followers, Schedule],
  exports: [DutyRoster, FollowerStep, Followers, Schedule],
})
export class BackgroundModule {}
