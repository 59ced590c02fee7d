create schema analytics;

-- The mirror: the last known state of each row of the shop. (commit_lsn, lsn) is the row's version: the LSN of the
-- commit before the change, and the change's own. A deleted row stays, as a
-- version that a late duplicate cannot revive; columns are nullable because a deletion tells only the key.
create table analytics.customers (
    customer_id bigint primary key,
    name        text,
    email       text,
    country     text,
    channel     text,
    created_at  timestamptz,
    commit_lsn         bigint not null,
    lsn         bigint not null,
    deleted     boolean not null
);

create table analytics.subscriptions (
    subscription_id bigint primary key,
    customer_id     bigint,
    plan            text,
    billing_period  text,
    price           numeric,
    currency        text,
    started_at      timestamptz,
    cancelled_at    timestamptz,
    cancel_reason   text,
    commit_lsn             bigint not null,
    lsn             bigint not null,
    deleted         boolean not null
);
create index subscriptions_customer on analytics.subscriptions (customer_id);

create table analytics.transactions (
    transaction_id  bigint primary key,
    customer_id     bigint,
    subscription_id bigint,
    kind            text,
    amount          numeric,
    currency        text,
    occurred_at     timestamptz,
    refers_to       bigint,
    promotion       text,
    -- The sum of the live refunds that refer to this row; kept even before the row itself has come.
    refunded        numeric not null default 0,
    commit_lsn             bigint not null,
    lsn             bigint not null,
    deleted         boolean not null
);
create index transactions_customer on analytics.transactions (customer_id);

create table analytics.sessions (
    session_id  bigint primary key,
    customer_id bigint,
    started_at  timestamptz,
    pages       integer,
    channel     text,
    commit_lsn         bigint not null,
    lsn         bigint not null,
    deleted     boolean not null
);
create index sessions_customer on analytics.sessions (customer_id, started_at);

-- What a TRUNCATE made void: every row of this table with a smaller version, also those that come later.
create table analytics.truncations (
    table_name text primary key,
    commit_lsn        bigint not null,
    lsn        bigint not null
);

-- Sums that any number of consumers can add to; a customer whose orders are all gone keeps a row here.
create table analytics.customer_totals (
    customer_id     bigint primary key,
    first_purchase  timestamptz,
    latest_purchase timestamptz,
    order_count     bigint not null,
    order_value     numeric not null
) with (fillfactor = 80);

create view analytics.customer_rfm as
select customer_id,
       first_purchase,
       latest_purchase,
       latest_purchase - first_purchase as recency,
       order_count - 1 as frequency,
       order_count,
       order_value
from analytics.customer_totals
where order_count > 0;

-- Which offsets the tables above include; moved in the same transaction, by compare-and-set.
create table analytics.offsets (
    topic       text not null,
    partition   integer not null,
    next_offset bigint not null,
    topic_id    text not null,
    stream_time timestamptz,
    applied_at  timestamptz not null default now(),
    primary key (topic, partition)
) with (fillfactor = 50);

-- The stream's time: the latest event seen.
create view analytics.stream_clock as
select max(stream_time) as stream_time, max(applied_at) as applied_at from analytics.offsets;

create table analytics.dead_letters (
    topic       text not null,
    partition   integer not null,
    "offset"    bigint not null,
    reason      text not null,
    field       text,
    value       text,
    key         text,
    payload     text,
    recorded_at timestamptz not null default now(),
    primary key (topic, partition, "offset")
);

-- Online learning. `json`, not `jsonb`: the state must come back to the bit.
create table analytics.online_scores (
    customer_id  bigint primary key,
    no_order_30d double precision not null check (no_order_30d between 0 and 1),
    as_of        timestamptz not null,
    partition    integer not null
) with (fillfactor = 80);

create table analytics.online_customers (
    customer_id bigint primary key,
    partition   integer not null,
    state       json not null
) with (fillfactor = 50);
create index online_customers_partition on analytics.online_customers (partition);

create table analytics.online_models (
    partition  integer primary key,
    state      json not null,
    updated_at timestamptz not null default now()
) with (fillfactor = 25);

create table analytics.online_metrics (
    partition   integer not null,
    matured     bigint not null,
    stream_time timestamptz not null,
    log_loss    double precision not null,
    auc         double precision,
    base_rate   double precision not null,
    base_rate_log_loss double precision,
    primary key (partition, matured)
);

create table analytics.drift_events (
    partition   integer not null,
    matured     bigint not null,
    stream_time timestamptz not null,
    detector    text not null,
    log_loss    double precision not null,
    primary key (partition, matured, detector)
);

-- What counts as an order (retentioncast/core/rfm.py says the same in words): a purchase or renewal, unless refunds
-- that refer to it reach its amount; free orders count.
create function analytics.is_order(kind text, amount numeric, refunded numeric, deleted boolean) returns boolean
language sql immutable parallel safe
return not deleted and kind in ('purchase', 'renewal') and not (amount > 0 and refunded >= amount);

-- What a transaction adds to order_value.
create function analytics.order_value(kind text, amount numeric, deleted boolean) returns numeric
language sql immutable parallel safe
return case when deleted then 0 when kind = 'refund' then -amount else amount end;
