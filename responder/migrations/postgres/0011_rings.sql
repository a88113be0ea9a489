-- Alerts that are still to be told to the duty office, or once more, gathered by the key that routing gives.
CREATE TABLE rings (
    case_id TEXT PRIMARY KEY REFERENCES cases (id),
    group_key TEXT NOT NULL,
    -- When it is to be told next; never where it is empty.
    due_at BIGINT,
    told_at BIGINT
);
CREATE INDEX rings_due ON rings (due_at);
CREATE INDEX rings_by_group ON rings (group_key, due_at);
