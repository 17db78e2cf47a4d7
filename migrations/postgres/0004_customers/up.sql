-- What agents noted of a customer, by the number as the trunk wrote it (F3).
CREATE TABLE customers (
    number TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    remark TEXT NOT NULL,
    -- An agent's id; no foreign key, as with records.
    changed_by INTEGER NOT NULL,
    changed_at BIGINT NOT NULL
);
