-- manage:depends accounts.0001_initial
-- +goose Up

CREATE TABLE orders_order (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    user_id BIGINT NOT NULL,
    amount NUMERIC(10, 2) NOT NULL,
    created_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    INDEX orders_order_created (created_at),
    FOREIGN KEY (user_id) REFERENCES accounts_user (id)
);

CREATE TABLE orders_dailystat (
    date DATE NOT NULL PRIMARY KEY,
    order_count INTEGER NOT NULL,
    total_amount NUMERIC(12, 2) NOT NULL
);

-- +goose Down

DROP TABLE orders_dailystat;
DROP TABLE orders_order;
