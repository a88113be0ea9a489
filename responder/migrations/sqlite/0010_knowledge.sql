-- Questions that people ask again and again, and what a unit answers.
CREATE TABLE knowledge (
    id TEXT PRIMARY KEY,
    region TEXT NOT NULL,
    question TEXT NOT NULL,
    answer TEXT NOT NULL,
    subject TEXT NOT NULL,
    unit TEXT NOT NULL,
    basis TEXT NOT NULL,
    -- The case whose published reply it was; empty where it was written for the purpose.
    source TEXT NOT NULL,
    -- proposed, approved or retired.
    status TEXT NOT NULL,
    written_by TEXT NOT NULL,
    written_at INTEGER NOT NULL,
    -- Who approved or retired it, and when; empty and 0 before.
    decided_by TEXT NOT NULL,
    decided_at INTEGER NOT NULL,
    version INTEGER NOT NULL
) STRICT;
CREATE INDEX knowledge_by_status ON knowledge (region, status, subject);

-- The pairs of characters by which entries are found; 3 where the question has the pair, 1 where only the answer has.
CREATE TABLE knowledge_pairs (
    region TEXT NOT NULL,
    pair TEXT NOT NULL,
    entry TEXT NOT NULL REFERENCES knowledge (id),
    counts INTEGER NOT NULL,
    PRIMARY KEY (region, pair, entry)
) STRICT, WITHOUT ROWID;
CREATE INDEX knowledge_pairs_by_entry ON knowledge_pairs (entry);

-- How many entries have a pair: a search goes by the rarest.
CREATE TABLE knowledge_pair_entries (
    region TEXT NOT NULL,
    pair TEXT NOT NULL,
    entries INTEGER NOT NULL,
    PRIMARY KEY (region, pair)
) STRICT, WITHOUT ROWID;

-- What units promised in their replies, until it is kept, broken or withdrawn.
CREATE TABLE commitments (
    id TEXT PRIMARY KEY,
    case_id TEXT NOT NULL,
    region TEXT NOT NULL,
    what TEXT NOT NULL,
    unit TEXT NOT NULL,
    due_at INTEGER NOT NULL,
    -- open, kept, broken or withdrawn.
    state TEXT NOT NULL,
    -- What shows that it was kept: a text and the attachment's id, which may be empty.
    proof TEXT NOT NULL,
    attachment TEXT NOT NULL,
    -- Why it was withdrawn.
    reason TEXT NOT NULL,
    added_by TEXT NOT NULL,
    added_at INTEGER NOT NULL,
    ended_by TEXT NOT NULL,
    -- Each null until it has happened.
    ended_at INTEGER,
    reminded_at INTEGER,
    escalated_at INTEGER
) STRICT;
CREATE INDEX commitments_by_state ON commitments (state, due_at);
CREATE INDEX commitments_by_case ON commitments (case_id);
