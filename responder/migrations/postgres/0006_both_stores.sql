-- What lists are filtered by stands in columns and rows of its own.
ALTER TABLE cases ADD COLUMN title TEXT NOT NULL DEFAULT '';

-- The units of a case as it stands.
CREATE TABLE case_units (
    case_id TEXT NOT NULL REFERENCES cases (id),
    unit TEXT NOT NULL,
    -- 1 for the lead, 0 for those that assist.
    leads BIGINT NOT NULL,
    PRIMARY KEY (case_id, unit)
);
CREATE INDEX case_units_by_unit ON case_units (unit);
