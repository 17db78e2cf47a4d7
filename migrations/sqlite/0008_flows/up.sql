-- Self-service flows (D6, H5). A call that is in one, and the records of those that were, have what they need of it themselves.
CREATE TABLE flows (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    -- Agents may start it.
    enabled BOOLEAN NOT NULL,
    -- JSON: the first node's name, and the nodes by name.
    definition TEXT NOT NULL
);
-- JSON: the flows that the customer was in, each with its results (G1).
ALTER TABLE service_records ADD COLUMN flows TEXT NOT NULL DEFAULT '[]';
