-- manage:depends accounts.0001_initial
-- +goose Up

CREATE TABLE orders_order (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id INTEGER NOT NULL REFERENCES accounts_user (id),
    amount NUMERIC(10, 2) NOT NULL,
    created_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX orders_order_user ON orders_order (user_id);
CREATE INDEX orders_order_created ON orders_order (created_at);

CREATE TABLE orders_dailystat (
    date DATE NOT NULL PRIMARY KEY,
    order_count INTEGER NOT NULL,
    total_amount NUMERIC(12, 2) NOT NULL
);

-- +goose Down

DROP TABLE orders_dailystat;
DROP TABLE orders_order;
