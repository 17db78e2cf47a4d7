-- Agents' pictures (A7), apart from what every request reads of an account.
CREATE TABLE avatars (
    agent_id INTEGER NOT NULL PRIMARY KEY REFERENCES agents (id),
    -- png, jpeg, webp
    kind TEXT NOT NULL,
    image BLOB NOT NULL
);
-- When it was set; null = there is none.
ALTER TABLE agents ADD COLUMN avatar_at BIGINT;
