-- What several commands and hosts need of each other: leases, requests to cancel, idempotency keys; and what runs leave behind:
-- rollback records and durations. The indices serve what lists and deletes a deployment's rows.

-- +goose Up
ALTER TABLE runs ADD COLUMN lease_until INTEGER NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN cancel_by TEXT NOT NULL DEFAULT '';

CREATE INDEX runs_by_plan_graph ON runs (plan_graph_id);
CREATE INDEX graphs_by_deployment ON graphs (deployment, number);
CREATE INDEX deployments_by_head ON deployments (head);

CREATE TABLE idempotency_keys (
    tenant   TEXT    NOT NULL,
    key      TEXT    NOT NULL,
    route    TEXT    NOT NULL,
    digest   TEXT    NOT NULL,
    run_id   TEXT    NOT NULL,
    graph_id TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    PRIMARY KEY (tenant, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_keys_by_at ON idempotency_keys (at);

CREATE TABLE rollback_records (
    run       INTEGER NOT NULL REFERENCES runs (number),
    operation TEXT    NOT NULL,
    attempt   INTEGER NOT NULL,
    format    TEXT    NOT NULL,
    data      BLOB    NOT NULL,
    PRIMARY KEY (run, operation, attempt)
) STRICT, WITHOUT ROWID;

CREATE TABLE durations (
    tenant TEXT    NOT NULL,
    type   TEXT    NOT NULL,
    verb   TEXT    NOT NULL,
    count  INTEGER NOT NULL,
    total  INTEGER NOT NULL,
    PRIMARY KEY (tenant, type, verb)
) STRICT, WITHOUT ROWID;
