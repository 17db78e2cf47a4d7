-- Phones that register (C8). One with an address and a transport is always there; one without is where it registered last.
ALTER TABLE phones ADD COLUMN fixed_addr TEXT;
ALTER TABLE phones ADD COLUMN fixed_transport TEXT;
UPDATE phones SET fixed_addr = addr, fixed_transport = transport;
ALTER TABLE phones DROP COLUMN addr;
ALTER TABLE phones DROP COLUMN transport;
ALTER TABLE phones RENAME COLUMN fixed_addr TO addr;
ALTER TABLE phones RENAME COLUMN fixed_transport TO transport;
-- A password is kept as HA1 (RFC 7616) for one realm, user and algorithm: SHA-256, or MD5 for a phone that knows nothing better.
ALTER TABLE phones ADD COLUMN md5 BOOLEAN NOT NULL DEFAULT 0;
ALTER TABLE phones ADD COLUMN realm TEXT;
ALTER TABLE phones ADD COLUMN ha1 TEXT;

-- Where phones are, for a switch that starts again.
CREATE TABLE phone_bindings (
    sip_user TEXT NOT NULL PRIMARY KEY,
    -- JSON, with moments on the clock of the switch that wrote it…
    bindings TEXT NOT NULL,
    -- …which began then, in milliseconds since 1970 UTC.
    clock_began_at BIGINT NOT NULL
);
