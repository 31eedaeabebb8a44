-- What a relation says beside its strength (a reason, a context, …), sealed under the tenant's key. Null: nothing.
ALTER TABLE relations ADD COLUMN attributes bytea;
