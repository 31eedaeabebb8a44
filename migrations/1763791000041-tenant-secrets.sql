-- What a tenant entrusts to us for calling others: keys of models, OIDC clients, webhooks. Sealed under its key.
CREATE TABLE tenant_secrets (
  tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
  -- What it is for, such as `oidc/client_secret`; not secret itself.
  name text NOT NULL,
  sealed bytea NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, name)
);
ALTER TABLE tenant_secrets ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenant_secrets FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON tenant_secrets TO loci_tenant
  USING (tenant_id = (SELECT current_tenant())) WITH CHECK (tenant_id = (SELECT current_tenant()));
-- The tenant's own transactions alone: nothing that looks across tenants has a use for them.
GRANT SELECT, INSERT, UPDATE, DELETE ON tenant_secrets TO loci_tenant;
