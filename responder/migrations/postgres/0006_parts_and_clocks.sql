-- A case is handled by units, each with its part; it can be handed back, paused, merged, and followed up.

ALTER TABLE cases ADD COLUMN title TEXT NOT NULL DEFAULT '';
ALTER TABLE cases ADD COLUMN parts TEXT NOT NULL DEFAULT '[]';
ALTER TABLE cases DROP COLUMN assists;
ALTER TABLE cases ADD COLUMN hand_backs BIGINT NOT NULL DEFAULT 0;
ALTER TABLE cases ADD COLUMN merged_into TEXT NOT NULL DEFAULT '';
ALTER TABLE cases ADD COLUMN satisfaction TEXT NOT NULL DEFAULT '';
ALTER TABLE cases ADD COLUMN extension_by BIGINT;
ALTER TABLE cases ADD COLUMN review_by BIGINT;
ALTER TABLE cases ADD COLUMN follow_up_by BIGINT;
ALTER TABLE cases ADD COLUMN paused_at BIGINT;
-- When the next of its running clocks is due.
ALTER TABLE cases ADD COLUMN due_at BIGINT;
UPDATE cases SET due_at = respond_by WHERE state IN ('pending', 'dispatched', 'signed', 'handling', 'review');
-- What lists begin with: 0 what is still to be answered, then 1.
ALTER TABLE cases ADD COLUMN urgency BIGINT NOT NULL GENERATED ALWAYS AS
    (CASE WHEN state IN ('pending', 'dispatched', 'signed', 'handling', 'review') THEN 0 ELSE 1 END) STORED;

-- The units of a case as it stands, for queries; `parts` says how far they are, the lead first.
CREATE TABLE case_units (
    case_id TEXT NOT NULL REFERENCES cases (id),
    unit TEXT NOT NULL,
    PRIMARY KEY (case_id, unit)
);

DROP INDEX cases_by_state;
DROP INDEX cases_by_lead;
CREATE INDEX cases_by_urgency ON cases (urgency, level, respond_by, id);
CREATE INDEX cases_by_state ON cases (state, level);
CREATE INDEX cases_due ON cases (due_at);
CREATE INDEX cases_merged ON cases (merged_into);
CREATE INDEX case_units_by_unit ON case_units (unit);

ALTER TABLE moves ADD COLUMN unit TEXT NOT NULL DEFAULT '';
ALTER TABLE moves ADD COLUMN choice TEXT NOT NULL DEFAULT '';

-- What is to be told of the clocks of cases, and was. A clock that is moved has a new row.
CREATE TABLE tellings (
    case_id TEXT NOT NULL REFERENCES cases (id),
    clock TEXT NOT NULL,
    unit TEXT NOT NULL,
    step TEXT NOT NULL,
    due_at BIGINT NOT NULL,
    at BIGINT NOT NULL,
    told_at BIGINT,
    PRIMARY KEY (case_id, clock, unit, step, due_at)
);
CREATE INDEX tellings_due ON tellings (told_at, at);

CREATE TABLE attachments (
    id TEXT PRIMARY KEY,
    case_id TEXT NOT NULL REFERENCES cases (id),
    name TEXT NOT NULL,
    type TEXT NOT NULL,
    size BIGINT NOT NULL,
    sha256 TEXT NOT NULL,
    content BYTEA NOT NULL,
    actor TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX attachments_by_case ON attachments (case_id, at);

-- Work that one responder does at a time: who has it, and until when.
CREATE TABLE leases (
    name TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    until BIGINT NOT NULL
);
