-- +goose Up

CREATE TABLE accounts_user (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    email VARCHAR(254) NOT NULL,
    name VARCHAR(150) NOT NULL DEFAULT '',
    is_active BOOLEAN NOT NULL DEFAULT TRUE,
    created_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX accounts_user_email ON accounts_user (email);

CREATE TABLE accounts_authtoken (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    value VARCHAR(64) NOT NULL UNIQUE,
    user_id INTEGER REFERENCES accounts_user (id) ON DELETE CASCADE,
    created_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX accounts_authtoken_user ON accounts_authtoken (user_id);
CREATE INDEX accounts_authtoken_created ON accounts_authtoken (created_at);

-- +goose Down

DROP TABLE accounts_authtoken;
DROP TABLE accounts_user;
