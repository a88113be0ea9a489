-- Reports as papers of the office: made from data, worded, signed, sent.
CREATE TABLE papers (
    id TEXT PRIMARY KEY,
    region TEXT NOT NULL,
    kind TEXT NOT NULL,
    -- What it is about, as JSON, and its days.
    wanted TEXT NOT NULL,
    first_day TEXT NOT NULL,
    last_day TEXT NOT NULL,
    -- making, failed, draft, submitted, approved, sent, withdrawn.
    state TEXT NOT NULL,
    version INTEGER NOT NULL,
    -- 1 where it is submitted as soon as it is made.
    submits INTEGER NOT NULL,
    -- Who makes it, and until when no other does; how often that was begun, and why it failed.
    claimed_by TEXT NOT NULL,
    claimed_until INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    problem TEXT NOT NULL,
    title TEXT NOT NULL,
    number TEXT NOT NULL,
    -- The wording as it was generated and as it is now, and why their numbers differ.
    generated TEXT NOT NULL,
    text TEXT NOT NULL,
    reason TEXT NOT NULL,
    -- The document without what it says, its figures, and the data that it was made from, as JSON.
    cover TEXT NOT NULL,
    figures TEXT NOT NULL,
    facts TEXT NOT NULL,
    -- Why it was returned, while that is not done with.
    returned TEXT NOT NULL,
    asked_by TEXT NOT NULL,
    asked_at INTEGER NOT NULL,
    made_at INTEGER NOT NULL,
    edited_by TEXT NOT NULL,
    edited_at INTEGER NOT NULL,
    approved_by TEXT NOT NULL,
    approved_at INTEGER NOT NULL
) STRICT;
CREATE INDEX papers_by_day ON papers (region, last_day);
CREATE INDEX papers_by_state ON papers (state, claimed_until);

-- What was signed, as it was written.
CREATE TABLE paper_files (
    paper TEXT NOT NULL REFERENCES papers (id),
    -- The form, such as docx; of a table subjects.csv.
    file TEXT NOT NULL,
    name TEXT NOT NULL,
    type TEXT NOT NULL,
    size INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    content BLOB NOT NULL,
    PRIMARY KEY (paper, file)
) STRICT;

-- What was done with papers.
CREATE TABLE paper_moves (
    paper TEXT NOT NULL REFERENCES papers (id),
    version INTEGER NOT NULL,
    action TEXT NOT NULL,
    actor TEXT NOT NULL,
    at INTEGER NOT NULL,
    note TEXT NOT NULL,
    PRIMARY KEY (paper, version)
) STRICT;

-- To whom papers go.
CREATE TABLE paper_lists (
    id TEXT PRIMARY KEY,
    region TEXT NOT NULL,
    name TEXT NOT NULL,
    -- Contacts of units, as JSON.
    addressees TEXT NOT NULL,
    changed_by TEXT NOT NULL,
    changed_at INTEGER NOT NULL
) STRICT;
CREATE INDEX paper_lists_by_region ON paper_lists (region, name);
