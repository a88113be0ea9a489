-- What was seen across posts and events: bursts and common problems. A signal that is brought up to date replaces itself.

CREATE TABLE IF NOT EXISTS signals (
    region String,
    signal_id String,
    kind LowCardinality(String),
    subject LowCardinality(String),
    second LowCardinality(String),
    place String,
    title String,
    count UInt32,
    usual Float64,
    weeks UInt32,
    begins_at DateTime64(3, 'UTC'),
    ends_at DateTime64(3, 'UTC'),
    weekly Array(UInt32),
    subjects Array(String),
    subject_posts Array(UInt32),
    places Array(String),
    place_posts Array(UInt32),
    events Array(String),
    event_titles Array(String),
    event_posts Array(UInt32),
    event_count UInt32,
    found_at DateTime64(3, 'UTC'),
    raised_at DateTime64(3, 'UTC'),
    updates UInt32,
    over_at DateTime64(3, 'UTC')
) ENGINE = ReplacingMergeTree(updates)
ORDER BY (region, signal_id)
