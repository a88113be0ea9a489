-- How the sources are, as the collector last told.
CREATE TABLE sources (
    id TEXT PRIMARY KEY,
    region TEXT NOT NULL,
    health TEXT NOT NULL,
    at BIGINT NOT NULL,
    -- Whether the administrator was told that something is wrong, and not yet that it is well again.
    told BIGINT NOT NULL
);

-- Notices are of sources too.
ALTER TABLE notices RENAME COLUMN case_id TO about;
