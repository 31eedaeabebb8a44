import { Global, Module } from '@nestjs/common';
import { AuditTrail } from './audit-trail.js';
import { ChangeFeed } from './change-feed.js';
import { ControlPlane } from './control-plane.js';
import { Erasure } from './erasure.js';
import { HomeMirror } from './home-mirror.js';
import { HomeWatch } from './home-watch.js';
import { Idempotency } from './idempotency.js';
import { Ledger } from './ledger.js';
import { LedgerConnection } from './ledger-connection.js';
import { LedgerSignal } from './ledger-signal.js';
import { LedgerMove } from './ledger-move.js';
import { SpaceEpochs } from './space-epochs.js';
import { TenantRevisions } from './tenant-revisions.js';
import { TenantSecrets } from './tenant-secrets.js';
import { UnindexableRecord } from './unindexable-record.js';

/** What tenants stored: the truth. */
@Global()
@Module({
  providers: [
    AuditTrail,
    Ledger,
    LedgerMove,
    ControlPlane,
    HomeMirror,
    HomeWatch,
    LedgerConnection,
    LedgerSignal,
    ChangeFeed,
    Erasure,
    Idempotency,
    SpaceEpochs,
    TenantRevisions,
    TenantSecrets,
    UnindexableRecord,
  ],
  exports: [
    AuditTrail,
    Ledger,
    LedgerMove,
    ControlPlane,
    HomeMirror,
    LedgerConnection,
    LedgerSignal,
    ChangeFeed,
    Erasure,
    Idempotency,
    SpaceEpochs,
    TenantRevisions,
    TenantSecrets,
    UnindexableRecord,
  ],
})
export class LedgerModule {}
