-- Posts erased on request, and where each was looked for. Nothing here says what a post said.
CREATE TABLE erasures (
    -- The post's id: it is erased once.
    post TEXT PRIMARY KEY,
    region TEXT NOT NULL,
    -- Why, as the office wrote it, by whom and when.
    reason TEXT NOT NULL,
    officer TEXT NOT NULL,
    at BIGINT NOT NULL,
    -- erasing, erased, complete.
    state TEXT NOT NULL,
    -- The events that it was in, as JSON, each with what it is called from now on where its title was the post's.
    events TEXT NOT NULL,
    -- What its words are known again by: salted hashes, until it is complete.
    needles TEXT NOT NULL,
    -- How often it was looked for, when last, and when next.
    looks BIGINT NOT NULL,
    looked_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL
);
CREATE INDEX erasures_due ON erasures (state, due_at);

CREATE TABLE erasure_places (
    post TEXT NOT NULL REFERENCES erasures (post),
    place TEXT NOT NULL,
    -- How often it was found there before, and at the last look.
    found_before BIGINT NOT NULL,
    found_after BIGINT NOT NULL,
    -- Until when what cannot be taken out one by one goes by itself; 0 where it is taken out.
    until BIGINT NOT NULL,
    looked_at BIGINT NOT NULL,
    PRIMARY KEY (post, place)
);

-- What the files of signed papers were before an erasure changed them.
CREATE TABLE paper_erasures (
    paper TEXT NOT NULL REFERENCES papers (id),
    post TEXT NOT NULL REFERENCES erasures (post),
    file TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (paper, post, file)
);
