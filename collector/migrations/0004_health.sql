-- How sources are: the pages in a row that a selector found nothing on, how fresh the posts are, and since
-- when the source is as it is.
ALTER TABLE sources ADD COLUMN misfits INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sources ADD COLUMN missing TEXT NOT NULL DEFAULT '';
ALTER TABLE sources ADD COLUMN first_at INTEGER;
ALTER TABLE sources ADD COLUMN lag_seconds INTEGER;
ALTER TABLE sources ADD COLUMN condition TEXT NOT NULL DEFAULT 'well';
ALTER TABLE sources ADD COLUMN since INTEGER;

-- Posts by day of Asia/Shanghai, counted from 1970: what a source usually yields.
CREATE TABLE yields (
    source TEXT NOT NULL,
    day INTEGER NOT NULL,
    posts INTEGER NOT NULL,
    PRIMARY KEY (source, day)
) STRICT;

-- What is wrong with sites that are watched, and in how many rounds in a row it was seen.
CREATE TABLE findings (
    source TEXT NOT NULL,
    fault TEXT NOT NULL,
    url TEXT NOT NULL,
    detail TEXT NOT NULL,
    since INTEGER NOT NULL,
    rounds INTEGER NOT NULL,
    PRIMARY KEY (source, fault, url)
) STRICT;
