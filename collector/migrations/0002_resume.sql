-- An export is known by all rows read of it, not by its first line: daily exports share their header.
ALTER TABLE imports RENAME COLUMN first_line TO rows_hash;
ALTER TABLE imports ADD COLUMN modified INTEGER NOT NULL DEFAULT 0;

-- 1 while a round is under way: one that was broken off is not taken for read to its end.
ALTER TABLE sources ADD COLUMN unfinished INTEGER NOT NULL DEFAULT 0;
