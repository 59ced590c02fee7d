What the apply benchmark asks of the database.

-- name: raw_table  the raw limit appends here: no key, no index, but logged and committed durably
create table if not exists benchmark_raw (
    transaction_id bigint, customer_id bigint, subscription_id bigint, kind text, amount numeric, currency text,
    occurred_at timestamptz, refers_to bigint, promotion text, commit_lsn bigint, lsn bigint, deleted boolean
);

-- name: empty_tables
truncate analytics.customers, analytics.subscriptions, analytics.transactions, analytics.sessions,
         analytics.truncations, analytics.customer_totals, analytics.offsets, analytics.dead_letters,
         analytics.online_scores, analytics.online_customers, analytics.online_models, analytics.online_metrics,
         analytics.drift_events, benchmark_raw

-- name: raw_copy
copy benchmark_raw from stdin

-- name: raw_count
select count(*) from benchmark_raw

-- name: applied
select coalesce(sum(next_offset), 0)::bigint from analytics.offsets

-- name: expect
create table benchmark_expected as {rfm_expected}

-- name: differences
select count(*) from (
    (table benchmark_expected except all select * from analytics.customer_rfm)
    union all
    (select * from analytics.customer_rfm except all table benchmark_expected)
) as difference

-- name: mirrored
select count(*) from (
    (select transaction_id, customer_id, kind, amount, occurred_at, refers_to from shop.transactions
     except all
     select transaction_id, customer_id, kind, amount, occurred_at, refers_to from analytics.transactions
     where not deleted)
    union all
    (select transaction_id, customer_id, kind, amount, occurred_at, refers_to from analytics.transactions
     where not deleted
     except all
     select transaction_id, customer_id, kind, amount, occurred_at, refers_to from shop.transactions)
) as difference
