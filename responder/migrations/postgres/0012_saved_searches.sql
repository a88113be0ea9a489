-- Searches that accounts keep under a name, and when each was last opened.
CREATE TABLE saved_searches (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    name TEXT NOT NULL,
    -- The filters, as an address has them.
    query TEXT NOT NULL,
    opened_at BIGINT NOT NULL
);
CREATE INDEX saved_searches_by_account ON saved_searches (account, name);
