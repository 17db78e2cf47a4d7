-- Entries are read in their order and let go of by number, so nothing but the table is written; the writer counts them itself.
CREATE TABLE follow (
    -- From 1.
    seq INTEGER PRIMARY KEY,
    -- 32 hexadecimal digits.
    call_id TEXT NOT NULL,
    at BIGINT NOT NULL,
    -- JSON.
    what TEXT NOT NULL
);
INSERT INTO follow SELECT seq, call_id, at, what FROM entries ORDER BY seq;
DROP TABLE entries;
ALTER TABLE follow RENAME TO entries;
