-- Times are milliseconds since 1970, UTC, as DateTime64(3). A repeated row replaces its like.

CREATE TABLE IF NOT EXISTS assessments (
    region String,
    post_id String,
    revision UInt32,
    source String,
    kind LowCardinality(String),
    url String,
    title String,
    text String,
    author String,
    published_at DateTime64(3, 'UTC'),
    collected_at DateTime64(3, 'UTC'),
    likes UInt32,
    opposes UInt32,
    relevant Bool,
    relevant_because Array(String),
    places Array(String),
    subject LowCardinality(String),
    subject_probability Float64,
    subject_because Array(String),
    sentiment LowCardinality(String),
    sentiment_score Float64,
    sentiment_confidence Float64,
    sentiment_because Array(String),
    intensity Array(String),
    event_id String,
    event_title String,
    event_similarity Float64,
    event_level UInt8,
    model LowCardinality(String),
    assessed_at DateTime64(3, 'UTC')
) ENGINE = ReplacingMergeTree(revision)
ORDER BY (region, post_id);

CREATE TABLE IF NOT EXISTS alerts (
    region String,
    alert_id String,
    event_id String,
    level UInt8,
    score Float64,
    term_names Array(String),
    term_values Array(Float64),
    term_shares Array(Float64),
    title String,
    gist String,
    posts UInt32,
    voices UInt32,
    sources Array(String),
    sentiment Float64,
    subject LowCardinality(String),
    places Array(String),
    first_at DateTime64(3, 'UTC'),
    last_at DateTime64(3, 'UTC'),
    raised_at DateTime64(3, 'UTC')
) ENGINE = ReplacingMergeTree(raised_at)
ORDER BY (region, alert_id);

CREATE TABLE IF NOT EXISTS case_events (
    region String,
    case_event_id String,
    case_id String,
    event_id String,
    sequence UInt32,
    action LowCardinality(String),
    from_state LowCardinality(String),
    to_state LowCardinality(String),
    level UInt8,
    units Array(String),
    role LowCardinality(String),
    at DateTime64(3, 'UTC')
) ENGINE = ReplacingMergeTree
ORDER BY (region, case_id, sequence)
