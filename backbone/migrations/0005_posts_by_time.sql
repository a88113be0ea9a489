-- Posts in the order of time: the newest first, a range of days, and the hours of a chart are each read from where they
-- are. A post assessed again replaces what was there whatever came first: the higher revision, then the later
-- assessment. The collector never changes the time of a post that it has sent, so the time may stand in the key.
-- Months are partitions: what is past its retention goes with its month, and a merge never rebuilds more than a month's
-- index.
-- A page of posts is 30 rows from anywhere: granules are small, so that little is read beside them.
-- `pairs` finds words by their pairs of neighbouring characters, in narrow lower-case letters.
-- The table before is moved away, and what it holds copied, in steps that can be broken off and begun again anywhere.

-- if SELECT count() = 0 FROM system.columns WHERE database = currentDatabase() AND table = 'assessments' AND name = 'version'
CREATE TABLE IF NOT EXISTS assessments_next (
    region String,
    post_id String,
    revision UInt32,
    source LowCardinality(String),
    kind LowCardinality(String),
    url String CODEC(ZSTD),
    title String CODEC(ZSTD),
    text String CODEC(ZSTD),
    author String,
    published_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    collected_at DateTime64(3, 'UTC'),
    likes UInt32,
    opposes UInt32,
    relevant Bool,
    relevant_because Array(String) CODEC(ZSTD),
    places Array(LowCardinality(String)),
    subject LowCardinality(String),
    subject_probability Float64,
    subject_because Array(String) CODEC(ZSTD),
    sentiment LowCardinality(String),
    sentiment_score Float64,
    sentiment_confidence Float64,
    sentiment_because Array(String) CODEC(ZSTD),
    intensity Array(LowCardinality(String)),
    event_id String,
    event_title String CODEC(ZSTD),
    event_similarity Float64,
    event_level UInt8,
    model LowCardinality(String),
    assessed_at DateTime64(3, 'UTC'),
    subject_second LowCardinality(String),
    appeal LowCardinality(String),
    appeal_probability Float64,
    appeal_because Array(String) CODEC(ZSTD),
    units Array(LowCardinality(String)),
    unit_reasons Array(String) CODEC(ZSTD),
    keywords Array(String) CODEC(ZSTD),
    evidence String CODEC(ZSTD),
    second_opinion String CODEC(ZSTD),
    answered_at DateTime64(3, 'UTC'),
    version UInt64 MATERIALIZED bitShiftLeft(toUInt64(revision), 44) + toUInt64(greatest(toUnixTimestamp64Milli(assessed_at), 0)),
    INDEX pairs lowerUTF8(normalizeUTF8NFKC(concat(title, '\n', text))) TYPE text(tokenizer = ngrams(2)),
    INDEX by_post post_id TYPE bloom_filter(0.001) GRANULARITY 32,
    INDEX by_event event_id TYPE bloom_filter(0.001) GRANULARITY 32
) ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(published_at)
ORDER BY (region, published_at, post_id)
SETTINGS index_granularity = 256, materialize_ttl_recalculate_only = 1;

-- if SELECT count() = 0 FROM system.columns WHERE database = currentDatabase() AND table = 'assessments' AND name = 'version'
RENAME TABLE IF EXISTS assessments TO assessments_old;

-- if SELECT count() = 0 FROM system.tables WHERE database = currentDatabase() AND name = 'assessments'
RENAME TABLE assessments_next TO assessments;;

-- What is there already is copied in full as often as this is begun; copied twice it is there once.
-- if SELECT count() = 1 FROM system.tables WHERE database = currentDatabase() AND name = 'assessments_old'
INSERT INTO assessments (
    region, post_id, revision, source, kind, url, title, text, author, published_at, collected_at, likes, opposes,
    relevant, relevant_because, places, subject, subject_probability, subject_because, sentiment, sentiment_score,
    sentiment_confidence, sentiment_because, intensity, event_id, event_title, event_similarity, event_level, model,
    assessed_at, subject_second, appeal, appeal_probability, appeal_because, units, unit_reasons, keywords, evidence,
    second_opinion, answered_at
) SELECT
    region, post_id, revision, source, kind, url, title, text, author, published_at, collected_at, likes, opposes,
    relevant, relevant_because, places, subject, subject_probability, subject_because, sentiment, sentiment_score,
    sentiment_confidence, sentiment_because, intensity, event_id, event_title, event_similarity, event_level, model,
    assessed_at, subject_second, appeal, appeal_probability, appeal_because, units, unit_reasons, keywords, evidence,
    second_opinion, answered_at
FROM assessments_old
SETTINGS max_partitions_per_insert_block = 0;

DROP TABLE IF EXISTS assessments_old;

DROP TABLE IF EXISTS assessments_next
