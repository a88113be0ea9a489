-- Who is on duty when (值班表), with the swaps made; and the silences that duty officers made.

CREATE TABLE shifts (
    id TEXT PRIMARY KEY,
    region TEXT NOT NULL,
    post TEXT NOT NULL,
    -- Who was put down for it; a shift is told from others by this, so that the same roster read again after a swap changes
    -- nothing.
    planned TEXT NOT NULL,
    -- Who has it now.
    who TEXT NOT NULL,
    starts_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    -- When another roster took its place.
    dropped_at INTEGER
) STRICT;

CREATE INDEX shifts_by_time ON shifts (region, starts_at, ends_at);

-- Swaps, from the first on. Nothing removes from it.
CREATE TABLE shift_swaps (
    id TEXT PRIMARY KEY,
    region TEXT NOT NULL,
    first_shift TEXT NOT NULL REFERENCES shifts (id),
    second_shift TEXT NOT NULL REFERENCES shifts (id),
    -- Who had the first and the second before.
    first_who TEXT NOT NULL,
    second_who TEXT NOT NULL,
    made_by TEXT NOT NULL,
    reason TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;

CREATE INDEX shift_swaps_by_region ON shift_swaps (region, at);

CREATE TABLE silences (
    id TEXT PRIMARY KEY,
    region TEXT NOT NULL,
    author TEXT NOT NULL,
    reason TEXT NOT NULL,
    matches TEXT NOT NULL,
    starts_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    made_at INTEGER NOT NULL,
    expired_at INTEGER,
    expired_by TEXT NOT NULL
) STRICT;

CREATE INDEX silences_by_region ON silences (region, ends_at);
