-- What only the simulator can know. Nothing but evaluation may read it; Debezium never captures it.
-- It is written a tick at a time, so it may run ahead of the shop by less than one tick of event time.
create schema truth;

create table truth.customers (
    customer_id            bigint primary key,
    segment                text not null,
    created_at             timestamptz not null,
    -- The end of the customer's active life; infinity is not used: every simulated life ends.
    died_at                timestamptz not null,
    purchase_rate_per_day  double precision not null check (purchase_rate_per_day >= 0),
    session_rate_per_day   double precision not null check (session_rate_per_day >= 0),
    -- Before promotions.
    mean_spend             double precision not null check (mean_spend >= 0),
    spend_shape            double precision not null check (spend_shape > 0),
    promotion_sensitivity  double precision not null check (promotion_sensitivity between 0 and 1),
    refund_probability     double precision not null check (refund_probability between 0 and 1),
    plan                   text,
    subscription_ends_at   timestamptz,
    cancel_reason          text,
    merged_into            bigint,
    merged_at              timestamptz
);
create index customers_died_at on truth.customers (died_at);
create index customers_merged on truth.customers (customer_id) where merged_into is not null;

-- Where the simulation stands: it goes on from here after a kill.
create table truth.simulation (
    id         integer primary key check (id = 1),
    seed       bigint not null,
    settings   jsonb not null,
    event_time timestamptz not null,
    -- The next tick to plan.
    tick       bigint not null,
    -- The next numbers to give.
    counters   jsonb not null,
    -- The writes of the last planned ticks that were not written in one go, and how many of them are done.
    plan       json,
    position   bigint not null default 0
);

-- What is going to happen at a known time: renewals, cancellations, refunds, corrections, merges, …
create table truth.agenda (
    act_id         bigint primary key,
    due_at         timestamptz not null,
    kind           text not null,
    customer_id    bigint not null,
    subject_id     bigint,
    amount_cents   bigint,
    rest_cents     bigint,
    plan           text,
    billing_period text,
    anchor_at      timestamptz,
    ends_at        timestamptz,
    reason         text
);
