-- What happened to the calls that have not reached the main database yet; see src/db/journal.
CREATE TABLE entries (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    -- 32 hexadecimal digits.
    call_id TEXT NOT NULL,
    -- accepted, ended, remark or other: what the scribe looks for.
    kind TEXT NOT NULL,
    at BIGINT NOT NULL,
    -- JSON.
    what TEXT NOT NULL
);
CREATE INDEX entries_call ON entries (call_id, seq);
CREATE INDEX entries_due ON entries (kind, seq) WHERE kind IN ('ended', 'remark');
CREATE INDEX entries_accepted ON entries (call_id) WHERE kind = 'accepted';
