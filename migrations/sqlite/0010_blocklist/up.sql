-- Callers who are refused (C1, H6).
CREATE TABLE blocklist (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- As people write it, for them to read…
    number TEXT NOT NULL,
    -- …and as numbers are compared.
    digits TEXT NOT NULL,
    -- All numbers that begin so.
    is_prefix BOOLEAN NOT NULL,
    -- Null: for good.
    expires_at BIGINT,
    note TEXT NOT NULL,
    -- An agent's id, no foreign key, as with records; null: the floor file.
    added_by INTEGER,
    added_at BIGINT NOT NULL,
    UNIQUE (digits, is_prefix)
);
