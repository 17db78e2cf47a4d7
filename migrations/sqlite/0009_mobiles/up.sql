-- What an agent uses the bound mobile for: to answer (C7), to begin calls out (E2).
ALTER TABLE agents ADD COLUMN mobile_answering BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE agents ADD COLUMN mobile_outbound BOOLEAN NOT NULL DEFAULT FALSE;
