-- What agents may say a call was about (D8, H7). Records keep the name as text.
CREATE TABLE dispositions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    -- Their order in the list.
    position INTEGER NOT NULL,
    -- Agents may choose it.
    enabled BOOLEAN NOT NULL
);
ALTER TABLE service_records ADD COLUMN disposition TEXT NOT NULL DEFAULT '';
