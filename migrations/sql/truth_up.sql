-- What only the simulator can know. Nothing but evaluation may read it; Debezium never captures it.
create schema truth;

create table truth.customers (
    customer_id            bigint primary key,
    segment                text not null,
    created_at             timestamptz not null,
    -- The end of the customer's active life; infinity is not used: every simulated life ends.
    died_at                timestamptz not null,
    purchase_rate_per_day  double precision not null check (purchase_rate_per_day >= 0),
    session_rate_per_day   double precision not null check (session_rate_per_day >= 0),
    mean_spend             double precision not null check (mean_spend >= 0),
    spend_shape            double precision not null check (spend_shape > 0),
    promotion_sensitivity  double precision not null check (promotion_sensitivity between 0 and 1),
    plan                   text,
    subscription_ends_at   timestamptz,
    cancel_reason          text,
    merged_into            bigint,
    merged_at              timestamptz
);

-- Where the simulation stands: it goes on from here after a kill.
create table truth.simulation (
    id         integer primary key check (id = 1),
    seed       bigint not null,
    settings   jsonb not null,
    event_time timestamptz not null,
    tick       bigint not null,
    position   bigint not null default 0
);
