#!/bin/sh
# Run once by PostgreSQL's image, as its superuser, in an empty volume: makes what DATABASE_URL names. The role owns its
# database and may make roles (Loci makes `loci_tenant` and the like), and stands above no policy.
set -e
psql --no-psqlrc --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname postgres \
  --set password="${DATABASE_PASSWORD:?is missing}" <<'SQL'
CREATE ROLE loci LOGIN NOSUPERUSER CREATEROLE NOCREATEDB NOBYPASSRLS NOREPLICATION PASSWORD :'password';
CREATE DATABASE loci OWNER loci;
REVOKE ALL ON DATABASE loci, postgres FROM PUBLIC;
SQL
