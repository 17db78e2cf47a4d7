-- The floor: who works here, in which groups, and how calls come in. Times are milliseconds; moments are milliseconds since 1970 UTC.
-- Agents and groups are never deleted, only made inactive: records name them. Their names are free again once they are inactive.

CREATE TABLE phones (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    sip_user TEXT NOT NULL,
    addr TEXT NOT NULL,
    transport TEXT NOT NULL
);

CREATE TABLE agents (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    number TEXT NOT NULL,
    name TEXT NOT NULL,
    nickname TEXT,
    -- In lower case: an e-mail address is one account however it is typed.
    email TEXT NOT NULL CHECK (email = lower(email)),
    role TEXT NOT NULL,
    active BOOLEAN NOT NULL DEFAULT 1,
    password_hash TEXT,
    -- The password is a one-time one: the account is still to be completed (A2).
    must_change_password BOOLEAN NOT NULL DEFAULT 0,
    -- Bound by its owner with a code (A2), in E.164; several accounts may share one (A5).
    mobile TEXT,
    automatic_answer BOOLEAN,
    -- The SIP phone that rings; null = the browser.
    phone_id INTEGER REFERENCES phones (id),
    -- The state the agent chose last (B1), to come back to.
    chosen_state TEXT,
    chosen_reason TEXT,
    -- Goes up by one at each login (A9).
    epoch BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX agents_number ON agents (number) WHERE active;
CREATE UNIQUE INDEX agents_email ON agents (email) WHERE active;
CREATE INDEX agents_mobile ON agents (mobile) WHERE active;

CREATE TABLE skill_groups (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    active BOOLEAN NOT NULL DEFAULT 1,
    strategy TEXT NOT NULL,
    ring_ms BIGINT NOT NULL,
    -- 0 = no after-call work, null = until the agent says so.
    wrap_up_ms BIGINT,
    automatic_answer BOOLEAN NOT NULL,
    misses INTEGER NOT NULL,
    last_agent_wait_ms BIGINT NOT NULL,
    -- Ways out (C2): to a group, or the prompt if there is one and a hang-up.
    max_wait_ms BIGINT,
    max_wait_prompt TEXT,
    max_wait_group_id INTEGER REFERENCES skill_groups (id),
    max_queue INTEGER,
    max_queue_prompt TEXT,
    max_queue_group_id INTEGER REFERENCES skill_groups (id),
    no_agent_prompt TEXT,
    no_agent_group_id INTEGER REFERENCES skill_groups (id),
    welcome TEXT,
    music TEXT NOT NULL,
    -- Told to callers who wait (C2): their position, unless it is null, and this sound.
    announce_position_ms BIGINT,
    announcement TEXT,
    announce_every_ms BIGINT NOT NULL,
    record BOOLEAN NOT NULL
);
CREATE UNIQUE INDEX skill_groups_name ON skill_groups (name) WHERE active;

CREATE TABLE group_members (
    group_id INTEGER NOT NULL REFERENCES skill_groups (id),
    agent_id INTEGER NOT NULL REFERENCES agents (id),
    priority INTEGER NOT NULL,
    weight INTEGER NOT NULL,
    PRIMARY KEY (group_id, agent_id)
);
CREATE INDEX group_members_agent ON group_members (agent_id);

CREATE TABLE trunks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    transport TEXT NOT NULL,
    max_channels INTEGER,
    max_calls_per_second INTEGER,
    options_every_ms BIGINT NOT NULL,
    -- Guards for calls out (E6); null = no limit.
    max_outbound INTEGER,
    max_outbound_a_day INTEGER,
    -- How digits are sent (D7).
    digits TEXT NOT NULL,
    -- What this carrier means by its failures (G3): a JSON array.
    outcomes TEXT NOT NULL
);

CREATE TABLE trunk_hosts (
    trunk_id INTEGER NOT NULL REFERENCES trunks (id) ON DELETE CASCADE,
    -- From 0, in the order they are tried.
    position INTEGER NOT NULL,
    addr TEXT NOT NULL,
    PRIMARY KEY (trunk_id, position)
);

CREATE TABLE numbers (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    did TEXT NOT NULL,
    -- Only when it comes from this trunk; null = from any.
    trunk_id INTEGER REFERENCES trunks (id),
    group_id INTEGER NOT NULL REFERENCES skill_groups (id),
    early_media BOOLEAN NOT NULL
);
CREATE UNIQUE INDEX numbers_did ON numbers (did, COALESCE(trunk_id, 0));

-- One JSON value a key.
CREATE TABLE settings (
    key TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

-- Logins of browsers (A9). The token itself is never stored, only its SHA-256.
CREATE TABLE sessions (
    token_hash BLOB NOT NULL PRIMARY KEY,
    agent_id INTEGER NOT NULL REFERENCES agents (id),
    epoch BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_agent ON sessions (agent_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

-- Codes sent by SMS within the last hour (A4). The code itself is never stored, only its Argon2id hash.
CREATE TABLE sms_codes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    mobile TEXT NOT NULL,
    -- login, recovery, or the agent whose account the number is to be bound to.
    purpose TEXT NOT NULL,
    code_hash TEXT NOT NULL,
    sent_at BIGINT NOT NULL,
    tries INTEGER NOT NULL,
    used BOOLEAN NOT NULL
);
CREATE INDEX sms_codes_mobile ON sms_codes (mobile, sent_at);
CREATE INDEX sms_codes_age ON sms_codes (sent_at);

-- Text messages of a switch without a gateway, for its admin to read (A4).
CREATE TABLE sms_outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at BIGINT NOT NULL,
    mobile TEXT NOT NULL,
    text TEXT NOT NULL
);

-- Every change of an agent's state (B5).
CREATE TABLE agent_states (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    agent_id INTEGER NOT NULL REFERENCES agents (id),
    state TEXT NOT NULL,
    reason TEXT,
    at BIGINT NOT NULL
);
CREATE INDEX agent_states_agent ON agent_states (agent_id, at);
