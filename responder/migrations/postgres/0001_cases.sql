-- Cases, each change of which is written together with its move, its case event and its notices.

CREATE TABLE cases (
    id TEXT PRIMARY KEY,
    region TEXT NOT NULL,
    event TEXT NOT NULL,
    state TEXT NOT NULL,
    level BIGINT NOT NULL,
    lead TEXT NOT NULL,
    assists TEXT NOT NULL,
    routed_because TEXT NOT NULL,
    alert TEXT NOT NULL,
    reply TEXT NOT NULL,
    opened_at BIGINT NOT NULL,
    sign_by BIGINT,
    first_information_by BIGINT,
    respond_by BIGINT NOT NULL,
    answered_at BIGINT,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL
);

CREATE INDEX cases_by_state ON cases (state, level, respond_by);
CREATE INDEX cases_by_lead ON cases (lead, state);
CREATE INDEX cases_by_event ON cases (event);

-- Moves of cases, from 1 without gaps: the timeline and the audit.
CREATE TABLE moves (
    case_id TEXT NOT NULL REFERENCES cases (id),
    sequence BIGINT NOT NULL,
    action TEXT NOT NULL,
    from_state TEXT,
    to_state TEXT NOT NULL,
    role TEXT NOT NULL,
    actor TEXT NOT NULL,
    note TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (case_id, sequence)
);

-- Alerts taken in, so that one delivered again changes nothing.
CREATE TABLE alerts_taken (
    id TEXT PRIMARY KEY
);

-- Messages that the brokers have not acknowledged yet.
CREATE TABLE outbox (
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    message TEXT NOT NULL
);

-- Notices to units: queued with the move that causes them, kept as the log of what was sent.
CREATE TABLE notices (
    id TEXT PRIMARY KEY,
    case_id TEXT NOT NULL,
    unit TEXT NOT NULL,
    channel TEXT NOT NULL,
    body TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    problem TEXT NOT NULL,
    due_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE INDEX notices_due ON notices (state, due_at);
CREATE INDEX notices_by_case ON notices (case_id);
