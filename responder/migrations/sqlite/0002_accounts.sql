-- Who may sign in. A password is kept as its Argon2id hash only.
CREATE TABLE users (
    name TEXT PRIMARY KEY,
    display_name TEXT NOT NULL,
    role TEXT NOT NULL,
    region TEXT NOT NULL,
    unit TEXT NOT NULL,
    password TEXT NOT NULL,
    active INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

-- Sessions, by the SHA-256 of their token.
CREATE TABLE sessions (
    token TEXT PRIMARY KEY,
    user TEXT NOT NULL REFERENCES users (name),
    csrf TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

-- What was read and done in the console, and by whom.
CREATE TABLE audit (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    user TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL
) STRICT;
