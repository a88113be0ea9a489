-- Who may sign in. A password is kept as its Argon2id hash only.
CREATE TABLE users (
    name TEXT PRIMARY KEY,
    display_name TEXT NOT NULL,
    role TEXT NOT NULL,
    region TEXT NOT NULL,
    unit TEXT NOT NULL,
    password TEXT NOT NULL,
    active BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);

-- Sessions, by the SHA-256 of their token.
CREATE TABLE sessions (
    token TEXT PRIMARY KEY,
    account TEXT NOT NULL REFERENCES users (name),
    csrf TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);

-- What was read and done in the console, and by whom.
CREATE TABLE audit (
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at BIGINT NOT NULL,
    account TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL
);
