-- Who of a tenant may call, and whose word is taken for who they are. Both are the whole tenant's: neither has a workspace.
--
-- E-mail addresses and names lie in the clear, like a tenant's contact: they are looked up by, and are no content.

CREATE TABLE members (
  tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
  id uuid NOT NULL,
  -- In lower case.
  email text NOT NULL,
  name text,
  role text NOT NULL CHECK (role IN ('tenant_admin', 'tenant_user', 'tenant_viewer', 'service_account')),
  -- What the tenant's identity provider calls it: `sub`.
  external_id text,
  is_active boolean NOT NULL DEFAULT true,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, email),
  UNIQUE (tenant_id, external_id)
);
CREATE INDEX members_newest ON members (tenant_id, created_at DESC, id DESC);

CREATE TABLE oidc_issuers (
  tenant_id uuid PRIMARY KEY REFERENCES tenants ON DELETE CASCADE,
  -- Another one after each change, so that what was verified under the old words is verified anew.
  config_id uuid NOT NULL,
  issuer text NOT NULL,
  audience text NOT NULL,
  algorithms text[] NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  -- A token names its issuer and its audience, and these two its tenant.
  UNIQUE (issuer, audience)
);

ALTER TABLE members ENABLE ROW LEVEL SECURITY;
ALTER TABLE members FORCE ROW LEVEL SECURITY;
ALTER TABLE oidc_issuers ENABLE ROW LEVEL SECURITY;
ALTER TABLE oidc_issuers FORCE ROW LEVEL SECURITY;

CREATE POLICY tenant ON members TO loci_tenant
  USING (tenant_id = (SELECT current_tenant())) WITH CHECK (tenant_id = (SELECT current_tenant()));
CREATE POLICY tenant ON oidc_issuers TO loci_tenant
  USING (tenant_id = (SELECT current_tenant())) WITH CHECK (tenant_id = (SELECT current_tenant()));
GRANT SELECT, INSERT, UPDATE, DELETE ON members, oidc_issuers TO loci_tenant;

-- A token's tenant is not known before these are read; provisioning makes the first member, a purge erases all.
CREATE POLICY system ON members TO loci_system USING (true) WITH CHECK (true);
CREATE POLICY system ON oidc_issuers TO loci_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, DELETE ON members TO loci_system;
GRANT SELECT, DELETE ON oidc_issuers TO loci_system;

-- Tenants that were provisioned with an `admin_email` before there were members. As the owner of these tables,
-- whom the policies bind too, this would see no tenant.
SET LOCAL ROLE loci_system;
INSERT INTO members (tenant_id, id, email, role)
SELECT id, gen_random_uuid(), lower(admin_email), 'tenant_admin' FROM tenants WHERE admin_email IS NOT NULL;
RESET ROLE;
