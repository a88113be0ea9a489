-- How many posts each hour had of every kind: what charts read. A count that is added to when rows come would count a
-- row that comes twice, or is assessed again, twice. So the rows only mark their hours, and the archiver counts marked
-- hours anew over what is there. An hour is one row, replaced whole: no cell of an earlier count is left.

CREATE TABLE IF NOT EXISTS hour_marks (
    region String,
    hour DateTime('UTC'),
    touched_at SimpleAggregateFunction(max, DateTime64(3, 'UTC')),
    counted_at SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
) ENGINE = AggregatingMergeTree
ORDER BY (region, hour);

CREATE MATERIALIZED VIEW IF NOT EXISTS mark_hours TO hour_marks AS
SELECT region, toDateTime(toStartOfHour(published_at), 'UTC') AS hour, max(now64(3, 'UTC')) AS touched_at
FROM assessments
GROUP BY region, hour;

CREATE TABLE IF NOT EXISTS post_hours (
    region String,
    hour DateTime('UTC'),
    counted_at DateTime64(3, 'UTC'),
    cells Array(Tuple(
        place LowCardinality(String),
        source LowCardinality(String),
        kind LowCardinality(String),
        subject LowCardinality(String),
        appeal LowCardinality(String),
        sentiment LowCardinality(String),
        level UInt8,
        relevant Bool,
        posts UInt32
    )) CODEC(ZSTD)
) ENGINE = ReplacingMergeTree(counted_at)
ORDER BY (region, hour);

-- A post is in a cell with no place, and again in one for each of its places: choose `place = ''`, or a place.
CREATE OR REPLACE VIEW posts_by_hour AS
SELECT
    region, hour, cell.place AS place, cell.source AS source, cell.kind AS kind, cell.subject AS subject,
    cell.appeal AS appeal, cell.sentiment AS sentiment, cell.level AS level, cell.relevant AS relevant, cell.posts AS posts
FROM post_hours FINAL
ARRAY JOIN cells AS cell;

INSERT INTO hour_marks (region, hour, touched_at)
SELECT region, toDateTime(toStartOfHour(published_at), 'UTC') AS hour, now64(3, 'UTC')
FROM assessments
GROUP BY region, hour
