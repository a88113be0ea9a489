-- Addresses that were asked for and are not known as posts: pages that yielded nothing rest, for longer each time, and the
-- sitemaps of an index take turns. A page that is read another way by now counts as not asked for.
CREATE TABLE asked (
    source TEXT NOT NULL,
    url TEXT NOT NULL,
    way TEXT NOT NULL,
    asked_at INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    again_at INTEGER NOT NULL,
    PRIMARY KEY (source, url)
) STRICT;
