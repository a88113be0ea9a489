-- What the collector must remember to go on where it was. No text, no names.

-- Posts sent: the hash tells whether a post's words have changed since.
CREATE TABLE seen (
    post TEXT PRIMARY KEY,
    source TEXT NOT NULL,
    hash TEXT NOT NULL,
    revision INTEGER NOT NULL
) STRICT;

-- How far each import has come: rows read, and what the file looked like then.
CREATE TABLE imports (
    source TEXT NOT NULL,
    file TEXT NOT NULL,
    first_line TEXT NOT NULL,
    length INTEGER NOT NULL,
    rows INTEGER NOT NULL,
    PRIMARY KEY (source, file)
) STRICT;

-- Validators of pages that are asked for again.
CREATE TABLE validators (
    url TEXT PRIMARY KEY,
    etag TEXT NOT NULL,
    modified TEXT NOT NULL
) STRICT;

-- The health of each source.
CREATE TABLE sources (
    name TEXT PRIMARY KEY,
    posts INTEGER NOT NULL,
    refused INTEGER NOT NULL,
    last_success INTEGER,
    last_failure INTEGER,
    problem TEXT NOT NULL
) STRICT;
