-- A unit has a lead and contacts.
UPDATE users SET role = 'unit-lead' WHERE role = 'unit';
UPDATE moves SET role = 'unit-lead' WHERE role = 'unit';

-- A password that an administrator set is good for one sign-in.
ALTER TABLE users ADD COLUMN must_change INTEGER NOT NULL DEFAULT 0;

-- Hashes of the passwords that an account had last, so that it does not take them again.
CREATE TABLE passwords_before (
    account TEXT NOT NULL REFERENCES users (name),
    password TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (account, password)
) STRICT;

-- Sessions, by the SHA-256 of their token; everyone signs in once more.
DROP TABLE sessions;
CREATE TABLE sessions (
    token TEXT PRIMARY KEY,
    -- The token that this one took the place of, good for a moment more: a browser asks for several things at once.
    earlier_token TEXT NOT NULL,
    -- What the session is called where its account lists and ends it.
    id TEXT NOT NULL UNIQUE,
    account TEXT NOT NULL REFERENCES users (name),
    csrf TEXT NOT NULL,
    address TEXT NOT NULL,
    browser TEXT NOT NULL,
    -- Whether an identity provider vouched, and no password was needed.
    vouched INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    renewed_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_by_earlier_token ON sessions (earlier_token);
CREATE INDEX sessions_by_account ON sessions (account);

-- Wrong passwords, by the SHA-256 of the name or the address: people type passwords into the field for the name.
CREATE TABLE sign_in_tries (
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    failures INTEGER NOT NULL,
    wait_until INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    PRIMARY KEY (kind, key)
) STRICT;

-- Tokens of programs that use the API, by their SHA-256.
CREATE TABLE api_tokens (
    id TEXT PRIMARY KEY,
    token TEXT NOT NULL UNIQUE,
    account TEXT NOT NULL REFERENCES users (name),
    label TEXT NOT NULL,
    -- Names of scopes, separated by spaces.
    scopes TEXT NOT NULL,
    made_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER,
    revoked_at INTEGER
) STRICT;

-- The audit is a chain: a line's hash is over that of the line before and its own contents.
ALTER TABLE audit ADD COLUMN via TEXT NOT NULL DEFAULT '';
ALTER TABLE audit ADD COLUMN hash TEXT NOT NULL DEFAULT '';
CREATE INDEX audit_by_time ON audit (at);
-- Its last line: who writes the next takes this row first.
CREATE TABLE audit_head (
    number INTEGER NOT NULL,
    hash TEXT NOT NULL
) STRICT;
INSERT INTO audit_head SELECT coalesce(max(number), 0), '' FROM audit;

CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit is only added to'); END;
CREATE TRIGGER audit_is_not_shortened BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit is only added to'); END;
CREATE TRIGGER audit_head_stays BEFORE DELETE ON audit_head
BEGIN SELECT RAISE(ABORT, 'the audit is only added to'); END;
CREATE TRIGGER audit_head_goes_on BEFORE UPDATE ON audit_head WHEN NEW.number < OLD.number
BEGIN SELECT RAISE(ABORT, 'the audit is only added to'); END;
