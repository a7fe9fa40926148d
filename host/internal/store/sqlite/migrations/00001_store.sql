-- Times are nanoseconds since 1970 in UTC, 0 for none. Every row has its tenant, by its deployment or by itself.
-- Deployments and runs have a small number inside, so that what is many stays small and is written in order.

-- +goose Up
CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO meta (name, value) VALUES ('installation', lower(hex(randomblob(16))));

CREATE TABLE api_keys (
    number     INTEGER PRIMARY KEY,
    tenant     TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    role       TEXT    NOT NULL CHECK (role IN ('tenant', 'operator')),
    hash       TEXT    NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    UNIQUE (tenant, name)
) STRICT;

CREATE TABLE provider_digests (
    provider TEXT NOT NULL,
    version  TEXT NOT NULL,
    digest   TEXT NOT NULL,
    PRIMARY KEY (provider, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE provider_keys (
    number   INTEGER PRIMARY KEY,
    provider TEXT NOT NULL,
    id       TEXT NOT NULL,
    UNIQUE (provider, id)
) STRICT;

CREATE TABLE deployments (
    number     INTEGER PRIMARY KEY,
    tenant     TEXT    NOT NULL,
    id         TEXT    NOT NULL,
    head       INTEGER REFERENCES graphs (number),
    destroyed  INTEGER NOT NULL DEFAULT 0 CHECK (destroyed IN (0, 1)),
    accounts   TEXT    NOT NULL DEFAULT '{}',
    sequence   INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (tenant, id)
) STRICT;

CREATE TABLE graphs (
    number     INTEGER PRIMARY KEY,
    id         TEXT    NOT NULL UNIQUE,
    deployment INTEGER NOT NULL REFERENCES deployments (number),
    version    TEXT    NOT NULL,
    kind       TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT    NOT NULL,
    spec       BLOB    NOT NULL
) STRICT;

CREATE TABLE logical_resources (
    deployment  INTEGER NOT NULL REFERENCES deployments (number),
    node_id     TEXT    NOT NULL,
    drawn       INTEGER NOT NULL,
    path        TEXT    NOT NULL,
    resource_id TEXT    NOT NULL,
    type        TEXT    NOT NULL,
    PRIMARY KEY (deployment, node_id),
    UNIQUE (deployment, path, resource_id, type)
) STRICT, WITHOUT ROWID;

CREATE TABLE placements (
    deployment       INTEGER NOT NULL,
    node_id          TEXT    NOT NULL,
    region           TEXT    NOT NULL,
    name             TEXT    NOT NULL,
    state            TEXT    NOT NULL CHECK (state IN ('planned', 'maybe', 'live', 'gone')),
    made             INTEGER NOT NULL CHECK (made IN (0, 1)),
    identity         TEXT    NOT NULL,
    account          TEXT    NOT NULL,
    provider_version TEXT    NOT NULL,
    graph_id         TEXT    NOT NULL,
    outputs          BLOB,
    PRIMARY KEY (deployment, node_id, region),
    FOREIGN KEY (deployment, node_id) REFERENCES logical_resources (deployment, node_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE runs (
    number        INTEGER PRIMARY KEY,
    id            TEXT    NOT NULL UNIQUE,
    tenant        TEXT    NOT NULL,
    deployment    INTEGER NOT NULL REFERENCES deployments (number),
    graph_id      TEXT    NOT NULL REFERENCES graphs (id),
    plan_graph_id TEXT    NOT NULL REFERENCES graphs (id),
    exec_graph_id TEXT    NOT NULL UNIQUE,
    kind          TEXT    NOT NULL,
    mode          TEXT    NOT NULL,
    status        TEXT    NOT NULL,
    started_by    TEXT    NOT NULL,
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    completed_at  INTEGER NOT NULL,
    version       INTEGER NOT NULL,
    owner         TEXT    NOT NULL DEFAULT '',
    token         INTEGER NOT NULL DEFAULT 0,
    options       BLOB
) STRICT;

CREATE UNIQUE INDEX runs_one_active ON runs (deployment)
    WHERE kind <> 'verify' AND status IN ('queued', 'running', 'cancelling');
CREATE INDEX runs_by_status ON runs (status) WHERE status NOT IN ('completed', 'cancelled');
CREATE INDEX runs_by_tenant ON runs (tenant, number);
CREATE INDEX runs_by_deployment ON runs (deployment, number);
CREATE INDEX runs_by_graph ON runs (graph_id, number);

CREATE TABLE events (
    run     INTEGER NOT NULL REFERENCES runs (number),
    version INTEGER NOT NULL,
    payload BLOB    NOT NULL,
    PRIMARY KEY (run, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE logs (
    number    INTEGER PRIMARY KEY,
    run       INTEGER NOT NULL REFERENCES runs (number),
    operation TEXT    NOT NULL,
    at        INTEGER NOT NULL,
    level     TEXT    NOT NULL,
    message   TEXT    NOT NULL
) STRICT;

CREATE INDEX logs_by_operation ON logs (run, operation);
