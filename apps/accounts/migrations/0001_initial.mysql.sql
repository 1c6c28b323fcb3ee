-- +goose Up

CREATE TABLE accounts_user (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    email VARCHAR(254) NOT NULL,
    name VARCHAR(150) NOT NULL DEFAULT '',
    is_active BOOLEAN NOT NULL DEFAULT TRUE,
    created_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    INDEX accounts_user_email (email)
);

CREATE TABLE accounts_authtoken (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    value VARCHAR(64) NOT NULL UNIQUE,
    user_id BIGINT,
    created_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    INDEX accounts_authtoken_created (created_at),
    FOREIGN KEY (user_id) REFERENCES accounts_user (id) ON DELETE CASCADE
);

-- +goose Down

DROP TABLE accounts_authtoken;
DROP TABLE accounts_user;
