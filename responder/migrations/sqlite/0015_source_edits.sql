-- What officers decided of sources last: whether each is paused, and why. Written together with its message in the outbox and
-- its line of the audit. The row stays when a source is read again: its time is what the next edit must be later than.
CREATE TABLE source_edits (
    source TEXT PRIMARY KEY,
    paused INTEGER NOT NULL,
    reason TEXT NOT NULL,
    officer TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;
