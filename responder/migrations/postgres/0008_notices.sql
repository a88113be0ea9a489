-- Notices go to contacts, by one of several ways, one after the other for each case and contact; each try is kept.

CREATE TABLE notices_now (
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    about TEXT NOT NULL,
    kind TEXT NOT NULL,
    region TEXT NOT NULL,
    unit TEXT NOT NULL,
    contact TEXT NOT NULL,
    -- Notices of one line are sent one after the other: those about one matter to one contact.
    line TEXT NOT NULL,
    level BIGINT NOT NULL,
    -- 1 where it may become part of one notice that tells of many.
    folds BIGINT NOT NULL,
    body TEXT NOT NULL,
    -- The ways that are left, as JSON, and how many there are beside the one in use, which is channel and recipient.
    reach TEXT NOT NULL,
    reach_left BIGINT NOT NULL,
    channel TEXT NOT NULL,
    recipient TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    attempts_here BIGINT NOT NULL,
    problem TEXT NOT NULL,
    queued_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    -- Which responder sends it, and until when no other does.
    claimed_by TEXT NOT NULL,
    claimed_until BIGINT,
    -- The notice that tells of it.
    folded_into TEXT
);

-- What is kept of notices says of which kind they are.
UPDATE notices SET body = replace(body, '"action":"派单"', '"kind":"dispatch","action":"派单"') WHERE body NOT LIKE '%"kind":"%';
UPDATE notices SET body = replace(body, '"action":"催办"', '"kind":"urge","action":"催办"') WHERE body NOT LIKE '%"kind":"%';
UPDATE notices SET body = replace(body, '"action":"督办"', '"kind":"supervise","action":"督办"') WHERE body NOT LIKE '%"kind":"%';
UPDATE notices SET body = replace(body, '"action":"退回修改"', '"kind":"send-back","action":"退回修改"') WHERE body NOT LIKE '%"kind":"%';
UPDATE notices SET body = replace(body, '"action":"审核通过"', '"kind":"approve","action":"审核通过"') WHERE body NOT LIKE '%"kind":"%';

INSERT INTO notices_now (id, about, kind, region, unit, contact, line, level, folds, body, reach, reach_left, channel,
    recipient, state, attempts, attempts_here, problem, queued_at, due_at, updated_at, claimed_by)
SELECT id, about, body::json ->> 'kind', coalesce(body::json ->> 'region', ''), unit, '',
    about || ' /' || unit || '/', coalesce((body::json ->> 'level')::bigint, 4), 0, body,
    '[{"channel":"' || channel || '","to":""}]', 0, channel, '', state, attempts, attempts, problem, updated_at, due_at,
    updated_at, ''
FROM notices ORDER BY updated_at, id;

DROP TABLE notices;
ALTER TABLE notices_now RENAME TO notices;
CREATE INDEX notices_due ON notices (channel, state, due_at);
CREATE INDEX notices_by_line ON notices (line, number);
CREATE INDEX notices_about ON notices (about);
CREATE INDEX notices_folded ON notices (folded_into);

-- Each try to send a notice: written before it is made, finished when its end is known.
CREATE TABLE notice_tries (
    notice TEXT NOT NULL,
    number BIGINT NOT NULL,
    channel TEXT NOT NULL,
    recipient TEXT NOT NULL,
    began_at BIGINT NOT NULL,
    ended_at BIGINT,
    -- sent, refused, busy; interrupted where nobody knows, empty while it is under way.
    outcome TEXT NOT NULL,
    problem TEXT NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (notice, number)
);
CREATE INDEX notice_tries_by_channel ON notice_tries (channel, began_at);
