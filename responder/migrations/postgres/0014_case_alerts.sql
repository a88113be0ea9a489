-- What the newest alert told of a case's event, apart: lists and counts go through cases without it.

CREATE TABLE case_alerts (
    case_id TEXT PRIMARY KEY REFERENCES cases (id),
    alert TEXT NOT NULL
);
INSERT INTO case_alerts SELECT id, alert FROM cases;
ALTER TABLE cases DROP COLUMN alert;

-- Lists are found in this index alone, whatever they ask for but units.
DROP INDEX cases_by_urgency;
CREATE INDEX cases_by_urgency ON cases (urgency, level, respond_by, id, due_at, state, region, title);

-- Nothing reads it.
ALTER TABLE rings DROP COLUMN told_at;
