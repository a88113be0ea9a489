-- A case is handled by units, each with its part; it can be handed back, paused, merged, and followed up.

-- One code serves SQLite and PostgreSQL: `user` is a keyword there.
ALTER TABLE sessions RENAME COLUMN user TO account;
ALTER TABLE audit RENAME COLUMN user TO account;

ALTER TABLE cases ADD COLUMN title TEXT NOT NULL DEFAULT '';
UPDATE cases SET title = json_extract(alert, '$.event.title');
ALTER TABLE cases ADD COLUMN parts TEXT NOT NULL DEFAULT '[]';
UPDATE cases SET parts = (
    SELECT json_group_array(json_object('unit', unit, 'progress', CASE
        WHEN state IN ('pending', 'dispatched', 'dismissed') OR unit <> lead THEN 'sent'
        WHEN state = 'signed' THEN 'signed' ELSE 'reported' END,
        'sign_by', CASE WHEN state = 'dispatched' AND unit = lead
            THEN strftime('%Y-%m-%dT%H:%M:%fZ', sign_by / 1000.0, 'unixepoch') END))
    FROM (SELECT lead AS unit UNION ALL SELECT value FROM json_each(assists) WHERE value <> lead)
);
ALTER TABLE cases DROP COLUMN assists;
ALTER TABLE cases ADD COLUMN hand_backs INTEGER NOT NULL DEFAULT 0;
ALTER TABLE cases ADD COLUMN merged_into TEXT NOT NULL DEFAULT '';
ALTER TABLE cases ADD COLUMN satisfaction TEXT NOT NULL DEFAULT '';
ALTER TABLE cases ADD COLUMN extension_by INTEGER;
ALTER TABLE cases ADD COLUMN review_by INTEGER;
ALTER TABLE cases ADD COLUMN follow_up_by INTEGER;
ALTER TABLE cases ADD COLUMN paused_at INTEGER;
-- When the next of its running clocks is due.
ALTER TABLE cases ADD COLUMN due_at INTEGER;
UPDATE cases SET due_at = respond_by WHERE state IN ('pending', 'dispatched', 'signed', 'handling', 'review');
-- What lists begin with: 0 what is still to be answered, then 1.
ALTER TABLE cases ADD COLUMN urgency INTEGER NOT NULL GENERATED ALWAYS AS
    (CASE WHEN state IN ('pending', 'dispatched', 'signed', 'handling', 'review') THEN 0 ELSE 1 END) VIRTUAL;

-- The units of a case as it stands, for queries; `parts` says how far they are, the lead first.
CREATE TABLE case_units (
    case_id TEXT NOT NULL REFERENCES cases (id),
    unit TEXT NOT NULL,
    PRIMARY KEY (case_id, unit)
) STRICT;
INSERT INTO case_units SELECT DISTINCT cases.id, json_extract(value, '$.unit') FROM cases, json_each(parts);

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
    due_at INTEGER NOT NULL,
    at INTEGER NOT NULL,
    told_at INTEGER,
    PRIMARY KEY (case_id, clock, unit, step, due_at)
) STRICT;
CREATE INDEX tellings_due ON tellings (told_at, at);

CREATE TABLE attachments (
    id TEXT PRIMARY KEY,
    case_id TEXT NOT NULL REFERENCES cases (id),
    name TEXT NOT NULL,
    type TEXT NOT NULL,
    size INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    content BLOB NOT NULL,
    actor TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX attachments_by_case ON attachments (case_id, at);

-- Work that one responder does at a time: who has it, and until when.
CREATE TABLE leases (
    name TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    until INTEGER NOT NULL
) STRICT;
