-- Calls, their service records (G1) and recordings. No foreign keys from here to the floor: whatever became of an agent, a group
-- or a trunk meanwhile, a call that was accepted gets its row (G5). Ids of calls are 32 hexadecimal digits.

CREATE TABLE calls (
    id TEXT NOT NULL PRIMARY KEY,
    trunk_id INTEGER,
    -- Who called, and who was called; the customer's number is one of them.
    caller TEXT NOT NULL,
    contact TEXT NOT NULL,
    customer TEXT NOT NULL,
    began_at BIGINT NOT NULL,
    ended_at BIGINT NOT NULL,
    status TEXT NOT NULL,
    hung_up_by TEXT NOT NULL,
    recording_began_at BIGINT
);
CREATE INDEX calls_customer ON calls (customer, began_at);

CREATE TABLE service_records (
    -- The call's id and the segment's number: "<call>-<segment>".
    id TEXT NOT NULL PRIMARY KEY,
    call_id TEXT NOT NULL REFERENCES calls (id),
    segment INTEGER NOT NULL,
    call_type TEXT NOT NULL,
    -- When the conversation began; the arrival where there was none; of a call out, when dialling began.
    at BIGINT NOT NULL,
    status TEXT NOT NULL,
    hung_up_by TEXT NOT NULL,
    group_id INTEGER,
    agent_id INTEGER,
    duration_ms BIGINT NOT NULL,
    wait_ms BIGINT NOT NULL,
    ring_ms BIGINT NOT NULL,
    hold_ms BIGINT NOT NULL,
    mos REAL,
    remark TEXT NOT NULL,
    -- The segment's part of the call's recording, from the recording's beginning.
    recording_from_ms BIGINT,
    recording_to_ms BIGINT,
    UNIQUE (call_id, segment)
);
CREATE INDEX service_records_at ON service_records (at);
CREATE INDEX service_records_agent ON service_records (agent_id, at);
CREATE INDEX service_records_group ON service_records (group_id, at);

-- A recording begins before its call has a row, so it points nowhere.
CREATE TABLE recordings (
    call_id TEXT NOT NULL PRIMARY KEY,
    -- spooling, encoding, ready, recovered, failed
    state TEXT NOT NULL,
    -- Relative to the data folder.
    path TEXT NOT NULL,
    began_at BIGINT NOT NULL,
    duration_ms BIGINT NOT NULL
);
CREATE INDEX recordings_state ON recordings (state);
