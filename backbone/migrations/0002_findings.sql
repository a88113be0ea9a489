-- What the analyzer finds in a post beyond place, subject and sentiment. Rows written before have the defaults.

ALTER TABLE assessments
    ADD COLUMN IF NOT EXISTS subject_second LowCardinality(String),
    ADD COLUMN IF NOT EXISTS appeal LowCardinality(String),
    ADD COLUMN IF NOT EXISTS appeal_probability Float64,
    ADD COLUMN IF NOT EXISTS appeal_because Array(String),
    ADD COLUMN IF NOT EXISTS units Array(String),
    ADD COLUMN IF NOT EXISTS unit_reasons Array(String),
    ADD COLUMN IF NOT EXISTS keywords Array(String),
    ADD COLUMN IF NOT EXISTS evidence String,
    ADD COLUMN IF NOT EXISTS second_opinion String
