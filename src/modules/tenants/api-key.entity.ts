import { Column, CreateDateColumn, Entity, PrimaryColumn } from 'typeorm';
import type { KeyEnvironment } from '../../tenancy/api-key.js';
import type { Scope } from '../../tenancy/principal.js';
import type { TenantId, WorkspaceId } from '../../tenancy/tenant.js';

@Entity('api_keys')
export class ApiKeyEntity {
  @PrimaryColumn('uuid', { name: 'tenant_id' }) tenantId!: TenantId;
  @PrimaryColumn('uuid') id!: string;
  /** Null: the key reaches the whole tenant. */
  @Column('uuid', { name: 'workspace_id', nullable: true }) workspaceId!: WorkspaceId | null;
  @Column('text') name!: string;
  @Column('text') prefix!: string;
  @Column('bytea') hash!: Buffer;
  @Column('text', { array: true }) scopes!: (Scope | 'memory')[];
  @Column('text') role!: string;
  @Column('text') environment!: KeyEnvironment;
  @Column('integer', { name: 'rate_limit_per_minute', nullable: true }) rateLimitPerMinute!: number | null;
  @Column('timestamptz', { name: 'expires_at', nullable: true }) expiresAt!: Date | null;
  @Column('timestamptz', { name: 'revoked_at', nullable: true }) revokedAt!: Date | null;
  @Column('timestamptz', { name: 'last_used_at', nullable: true }) lastUsedAt!: Date | null;
  @CreateDateColumn({ type: 'timestamptz', name: 'created_at' }) createdAt!: Date;
}
