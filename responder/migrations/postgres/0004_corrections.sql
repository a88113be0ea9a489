-- What duty officers corrected in the analyzer's findings, one row a post, with the masked text, so that models can
-- learn from it when the archive has long let the post go. Empty is what nobody corrected.
CREATE TABLE corrections (
    post_id TEXT PRIMARY KEY,
    region TEXT NOT NULL,
    title TEXT NOT NULL,
    text TEXT NOT NULL,
    relevant TEXT NOT NULL,
    sentiment TEXT NOT NULL,
    appeal TEXT NOT NULL,
    subject TEXT NOT NULL,
    unit TEXT NOT NULL,
    officer TEXT NOT NULL,
    at BIGINT NOT NULL
);
