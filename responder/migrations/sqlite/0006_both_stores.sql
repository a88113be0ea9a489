-- One code serves SQLite and PostgreSQL: `user` is a keyword there.
ALTER TABLE sessions RENAME COLUMN user TO account;
ALTER TABLE audit RENAME COLUMN user TO account;

-- What lists are filtered by stands in columns and rows of its own.
ALTER TABLE cases ADD COLUMN title TEXT NOT NULL DEFAULT '';
UPDATE cases SET title = json_extract(alert, '$.event.title');

-- The units of a case as it stands.
CREATE TABLE case_units (
    case_id TEXT NOT NULL REFERENCES cases (id),
    unit TEXT NOT NULL,
    -- 1 for the lead, 0 for those that assist.
    leads INTEGER NOT NULL,
    PRIMARY KEY (case_id, unit)
) STRICT;
INSERT INTO case_units SELECT id, lead, 1 FROM cases;
INSERT INTO case_units SELECT DISTINCT cases.id, value, 0 FROM cases, json_each(assists) WHERE value <> lead;
CREATE INDEX case_units_by_unit ON case_units (unit);
