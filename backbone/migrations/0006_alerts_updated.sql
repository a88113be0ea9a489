-- An alert brought up to date replaces what was there whatever came first: the later update, then the later writing.
-- The steps are those of migration 5.

-- if SELECT count() = 0 FROM system.columns WHERE database = currentDatabase() AND table = 'alerts' AND name = 'version'
CREATE TABLE IF NOT EXISTS alerts_next (
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
    raised_at DateTime64(3, 'UTC'),
    update UInt32,
    version UInt64 MATERIALIZED bitShiftLeft(toUInt64(update), 44) + toUInt64(greatest(toUnixTimestamp64Milli(raised_at), 0))
) ENGINE = ReplacingMergeTree(version)
ORDER BY (region, alert_id)
SETTINGS materialize_ttl_recalculate_only = 1;

-- if SELECT count() = 0 FROM system.columns WHERE database = currentDatabase() AND table = 'alerts' AND name = 'version'
RENAME TABLE IF EXISTS alerts TO alerts_old;

-- if SELECT count() = 0 FROM system.tables WHERE database = currentDatabase() AND name = 'alerts'
RENAME TABLE alerts_next TO alerts;

-- if SELECT count() = 1 FROM system.tables WHERE database = currentDatabase() AND name = 'alerts_old'
INSERT INTO alerts (
    region, alert_id, event_id, level, score, term_names, term_values, term_shares, title, gist, posts, voices, sources,
    sentiment, subject, places, first_at, last_at, raised_at
) SELECT
    region, alert_id, event_id, level, score, term_names, term_values, term_shares, title, gist, posts, voices, sources,
    sentiment, subject, places, first_at, last_at, raised_at
FROM alerts_old;

DROP TABLE IF EXISTS alerts_old;

DROP TABLE IF EXISTS alerts_next
