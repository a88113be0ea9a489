-- When a post was published, in milliseconds, as it was sent first: a change of its words does not change that. Empty for
-- posts sent before this was kept.
ALTER TABLE seen ADD COLUMN published_at INTEGER;
