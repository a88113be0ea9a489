-- Cases, each change of which is written together with its move, its case event and its notices.

CREATE TABLE cases (
    id TEXT PRIMARY KEY,
    region TEXT NOT NULL,
    event TEXT NOT NULL,
    state TEXT NOT NULL,
    level INTEGER NOT NULL,
    lead TEXT NOT NULL,
    assists TEXT NOT NULL,
    routed_because TEXT NOT NULL,
    alert TEXT NOT NULL,
    reply TEXT NOT NULL,
    opened_at INTEGER NOT NULL,
    sign_by INTEGER,
    first_information_by INTEGER,
    respond_by INTEGER NOT NULL,
    answered_at INTEGER,
    updated_at INTEGER NOT NULL,
    version INTEGER NOT NULL
) STRICT;

CREATE INDEX cases_by_state ON cases (state, level, respond_by);
CREATE INDEX cases_by_lead ON cases (lead, state);
CREATE INDEX cases_by_event ON cases (event);

-- Moves of cases, from 1 without gaps: the timeline and the audit.
CREATE TABLE moves (
    case_id TEXT NOT NULL REFERENCES cases (id),
    sequence INTEGER NOT NULL,
    action TEXT NOT NULL,
    from_state TEXT,
    to_state TEXT NOT NULL,
    role TEXT NOT NULL,
    actor TEXT NOT NULL,
    note TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (case_id, sequence)
) STRICT;

-- Alerts taken in, so that one delivered again changes nothing.
CREATE TABLE alerts_taken (
    id TEXT PRIMARY KEY
) STRICT;

-- Messages that the brokers have not acknowledged yet.
CREATE TABLE outbox (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    message TEXT NOT NULL
) STRICT;

-- Notices to units: queued with the move that causes them, kept as the log of what was sent.
CREATE TABLE notices (
    id TEXT PRIMARY KEY,
    case_id TEXT NOT NULL,
    unit TEXT NOT NULL,
    channel TEXT NOT NULL,
    body TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    problem TEXT NOT NULL,
    due_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE INDEX notices_due ON notices (state, due_at);
CREATE INDEX notices_by_case ON notices (case_id);
