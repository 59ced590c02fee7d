create schema scores;

-- One row a refit, published or not, with the reason.
create table scores.model_runs (
    run_id         bigint generated always as identity primary key,
    started_at     timestamptz not null,
    as_of          timestamptz,
    status         text not null check (status in ('published', 'refused', 'failed')),
    reason         text not null,
    parameters     jsonb,
    data_from      timestamptz,
    data_to        timestamptz,
    customers      bigint,
    log_likelihood double precision,
    duration_s     double precision not null,
    code_version   text not null
);

create table scores.customer_scores (
    customer_id              bigint primary key,
    probability_alive        double precision,
    probability_alive_low    double precision,
    probability_alive_high   double precision,
    no_purchase_30d          double precision,
    no_purchase_30d_low      double precision,
    no_purchase_30d_high     double precision,
    no_purchase_60d          double precision,
    no_purchase_60d_low      double precision,
    no_purchase_60d_high     double precision,
    no_purchase_90d          double precision,
    no_purchase_90d_low      double precision,
    no_purchase_90d_high     double precision,
    inactive_30d             boolean,
    inactive_60d             boolean,
    inactive_90d             boolean,
    expected_orders_90d      double precision,
    expected_spend_90d       double precision,
    residual_value           double precision,
    residual_value_low       double precision,
    residual_value_high      double precision,
    subscription_survival_30d double precision,
    subscription_survival_60d double precision,
    subscription_survival_90d double precision,
    as_of                    timestamptz not null,
    run_id                   bigint not null references scores.model_runs
);
create index customer_scores_run on scores.customer_scores (run_id);
