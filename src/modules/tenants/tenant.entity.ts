import { Column, CreateDateColumn, Entity, PrimaryColumn } from 'typeorm';
import type { PlanTier } from '../../platform/config/plans.js';
import type { TenantSettings, TenantState } from '../../tenancy/principal.js';
import type { TenantId, TenantSlug, WorkspaceId } from '../../tenancy/tenant.js';

/** A tenant as its operator sees it. The migration `tenants` says what each column is for. */
@Entity('tenants')
export class TenantEntity {
  @PrimaryColumn('uuid') id!: TenantId;
  @Column('text') slug!: TenantSlug;
  @Column('text') name!: string;
  @Column('text') state!: TenantState;
  @Column('text') plan!: PlanTier;
  @Column('text') placement!: string;
  /** Where it is on its way to. */
  @Column('text', { name: 'moving_to', nullable: true }) movingTo!: string | null;
  /** Which database holds its ledger. */
  @Column('text') home!: string;
  /** Where its ledger was before, until that is erased. */
  @Column('text', { nullable: true }) leaving!: string | null;
  @Column('bigint') revision!: string;
  @Column('bigint') epoch!: string;
  @Column('text', { name: 'embedding_model' }) embeddingModel!: string;
  @Column('uuid', { name: 'default_workspace_id' }) defaultWorkspaceId!: WorkspaceId;
  @Column('uuid', { name: 'default_agent_id' }) defaultAgentId!: string;
  @Column('bytea', { name: 'wrapped_key' }) wrappedKey!: Buffer;
  /** The master key that has wrapped it, by its name. */
  @Column('bytea', { name: 'wrapped_by', nullable: true }) wrappedBy!: Buffer | null;
  @Column('text', { nullable: true }) domain!: string | null;
  @Column('text', { nullable: true }) platform!: string | null;
  @Column('text', { name: 'contact_email', nullable: true }) contactEmail!: string | null;
  @Column('text', { name: 'contact_name', nullable: true }) contactName!: string | null;
  @Column('text', { name: 'admin_email', nullable: true }) adminEmail!: string | null;
  /** Sealed under the tenant's key. */
  @Column('bytea', { name: 'api_credentials', nullable: true }) apiCredentials!: Buffer | null;
  @Column('jsonb') settings!: TenantSettings;
  /** Null: what the plan brings. */
  @Column('text', { array: true, nullable: true }) features!: string[] | null;
  /** Of those, what the tenant has turned off itself. */
  @Column('text', { array: true, name: 'features_off' }) featuresOff!: string[];
  @Column('jsonb') metadata!: Record<string, unknown>;
  @Column('bytea') fingerprint!: Buffer;
  @Column('text', { name: 'suspended_reason', nullable: true }) suspendedReason!: string | null;
  @Column('timestamptz', { name: 'deleted_at', nullable: true }) deletedAt!: Date | null;
  @Column('timestamptz', { name: 'last_active_at', nullable: true }) lastActiveAt!: Date | null;
  @CreateDateColumn({ type: 'timestamptz', name: 'created_at' }) createdAt!: Date;
  @Column('timestamptz', { name: 'updated_at' }) updatedAt!: Date;
}
