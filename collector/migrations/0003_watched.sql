-- Pages of posts that are looked at again for a while, for edits: addresses of public pages only.
CREATE TABLE watched (
    source TEXT NOT NULL,
    url TEXT NOT NULL,
    found_at INTEGER NOT NULL,
    checked_at INTEGER NOT NULL,
    PRIMARY KEY (source, url)
) STRICT;
