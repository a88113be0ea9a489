-- The outbox carries messages of several topics.
ALTER TABLE outbox ADD COLUMN topic TEXT NOT NULL DEFAULT 'case-events';

-- Events that duty officers merged and split, each written together with its message in the outbox and its line of the audit.
CREATE TABLE event_edits (
    id TEXT PRIMARY KEY,
    -- The event that posts leave, and the one they join.
    source TEXT NOT NULL,
    target TEXT NOT NULL,
    source_title TEXT NOT NULL,
    target_title TEXT NOT NULL,
    message TEXT NOT NULL,
    officer TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;

CREATE INDEX event_edits_by_source ON event_edits (source, at);
CREATE INDEX event_edits_by_target ON event_edits (target, at);
