-- Times are nanoseconds since 1970 in UTC, 0 for none, as in the SQLite store; only leases go by this server's clock. What is JSON
-- is kept as it came, byte for byte, and so are log lines, which may hold what a text column refuses. Text is ordered by its bytes.
-- Deployments and runs have a small number inside, so that what is many stays small.

-- +goose Up
CREATE TABLE meta (
    name  text COLLATE "C" PRIMARY KEY,
    value text NOT NULL
);

INSERT INTO meta (name, value) VALUES ('installation', replace(gen_random_uuid()::text, '-', ''));

CREATE TABLE tenants (
    id text COLLATE "C" PRIMARY KEY
);

CREATE TABLE api_keys (
    number     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant     text COLLATE "C" NOT NULL,
    name       text COLLATE "C" NOT NULL,
    role       text   NOT NULL CHECK (role IN ('tenant', 'operator')),
    hash       text COLLATE "C" NOT NULL UNIQUE,
    created_at bigint NOT NULL,
    UNIQUE (tenant, name)
);

CREATE TABLE provider_digests (
    provider text COLLATE "C" NOT NULL,
    version  text COLLATE "C" NOT NULL,
    digest   text NOT NULL,
    PRIMARY KEY (provider, version)
);

CREATE TABLE provider_keys (
    number   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    provider text COLLATE "C" NOT NULL,
    id       text COLLATE "C" NOT NULL,
    UNIQUE (provider, id)
);

-- Every id that a spec graph or an execution graph has: one graph's id is no other's.
CREATE TABLE graph_ids (
    id text COLLATE "C" PRIMARY KEY
);

CREATE TABLE deployments (
    number     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant     text COLLATE "C" NOT NULL,
    id         text COLLATE "C" NOT NULL,
    head       bigint,
    destroyed  boolean NOT NULL DEFAULT false,
    accounts   bytea   NOT NULL DEFAULT '{}',
    sequence   bigint  NOT NULL,
    created_at bigint  NOT NULL,
    updated_at bigint  NOT NULL,
    UNIQUE (tenant, id)
);

CREATE TABLE graphs (
    number     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id         text COLLATE "C" NOT NULL UNIQUE REFERENCES graph_ids (id),
    deployment bigint NOT NULL REFERENCES deployments (number),
    version    text   NOT NULL,
    kind       text   NOT NULL,
    created_at bigint NOT NULL,
    created_by text   NOT NULL,
    spec       bytea  NOT NULL
);

ALTER TABLE deployments ADD FOREIGN KEY (head) REFERENCES graphs (number);

CREATE INDEX graphs_by_deployment ON graphs (deployment, number);
CREATE INDEX deployments_by_head ON deployments (head);
CREATE INDEX deployments_by_tenant ON deployments (tenant, number);

CREATE TABLE logical_resources (
    deployment  bigint  NOT NULL REFERENCES deployments (number),
    node_id     text COLLATE "C" NOT NULL,
    drawn       integer NOT NULL,
    path        text COLLATE "C" NOT NULL,
    resource_id text COLLATE "C" NOT NULL,
    type        text COLLATE "C" NOT NULL,
    PRIMARY KEY (deployment, node_id),
    UNIQUE (deployment, path, resource_id, type)
);

CREATE TABLE placements (
    deployment       bigint  NOT NULL,
    node_id          text COLLATE "C" NOT NULL,
    region           text COLLATE "C" NOT NULL,
    name             text    NOT NULL,
    state            text    NOT NULL CHECK (state IN ('planned', 'maybe', 'live', 'gone')),
    made             boolean NOT NULL,
    identity         text    NOT NULL,
    account          text    NOT NULL,
    provider_version text    NOT NULL,
    graph_id         text    NOT NULL,
    outputs          bytea,
    PRIMARY KEY (deployment, node_id, region),
    FOREIGN KEY (deployment, node_id) REFERENCES logical_resources (deployment, node_id)
);

CREATE TABLE runs (
    number        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id            text COLLATE "C" NOT NULL UNIQUE,
    tenant        text COLLATE "C" NOT NULL,
    deployment    bigint NOT NULL REFERENCES deployments (number),
    graph_id      text COLLATE "C" NOT NULL REFERENCES graphs (id),
    plan_graph_id text COLLATE "C" NOT NULL REFERENCES graphs (id),
    exec_graph_id text COLLATE "C" NOT NULL UNIQUE REFERENCES graph_ids (id),
    kind          text   NOT NULL,
    mode          text   NOT NULL,
    status        text   NOT NULL,
    started_by    text   NOT NULL,
    created_at    bigint NOT NULL,
    updated_at    bigint NOT NULL,
    completed_at  bigint NOT NULL,
    version       bigint NOT NULL,
    owner         text COLLATE "C" NOT NULL DEFAULT '',
    token         bigint NOT NULL DEFAULT 0,
    lease_until   timestamptz,
    cancel_by     text   NOT NULL DEFAULT '',
    options       bytea
);

CREATE UNIQUE INDEX runs_one_active ON runs (deployment)
    WHERE kind <> 'verify' AND status IN ('queued', 'running', 'cancelling');
CREATE INDEX runs_active ON runs (number) WHERE status IN ('queued', 'running', 'cancelling');
CREATE INDEX runs_by_tenant ON runs (tenant, number);
CREATE INDEX runs_by_deployment ON runs (deployment, number);
CREATE INDEX runs_by_graph ON runs (graph_id, number);
CREATE INDEX runs_by_plan_graph ON runs (plan_graph_id);

CREATE TABLE events (
    run     bigint NOT NULL REFERENCES runs (number),
    version bigint NOT NULL,
    payload bytea  NOT NULL,
    PRIMARY KEY (run, version)
);

CREATE TABLE logs (
    number    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run       bigint NOT NULL REFERENCES runs (number),
    operation text COLLATE "C" NOT NULL,
    at        bigint NOT NULL,
    level     text   NOT NULL,
    message   bytea  NOT NULL
);

CREATE INDEX logs_by_operation ON logs (run, operation, number);

CREATE TABLE rollback_records (
    run       bigint  NOT NULL REFERENCES runs (number),
    operation text COLLATE "C" NOT NULL,
    attempt   integer NOT NULL,
    format    text    NOT NULL,
    data      bytea   NOT NULL,
    PRIMARY KEY (run, operation, attempt)
);

-- Each host adds to rows of its own share, so that hosts do not wait for each other's commits over what all of them count.
CREATE TABLE durations (
    tenant text COLLATE "C" NOT NULL,
    type   text COLLATE "C" NOT NULL,
    verb   text COLLATE "C" NOT NULL,
    share  integer NOT NULL,
    count  bigint  NOT NULL,
    total  bigint  NOT NULL,
    PRIMARY KEY (tenant, type, verb, share)
);

CREATE TABLE idempotency_keys (
    tenant   text COLLATE "C" NOT NULL,
    key      text COLLATE "C" NOT NULL,
    route    text   NOT NULL,
    digest   text   NOT NULL,
    run_id   text COLLATE "C" NOT NULL,
    graph_id text COLLATE "C" NOT NULL,
    at       bigint NOT NULL,
    PRIMARY KEY (tenant, key)
);

CREATE INDEX idempotency_keys_by_at ON idempotency_keys (at);
