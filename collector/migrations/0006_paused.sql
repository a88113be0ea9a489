-- Days on which a source was paused: one without posts says nothing of the source.
CREATE TABLE paused_days (
    source TEXT NOT NULL,
    day INTEGER NOT NULL,
    PRIMARY KEY (source, day)
) STRICT;
