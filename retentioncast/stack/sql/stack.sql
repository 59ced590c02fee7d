-- What the stack asks the database about itself.

-- name: shop_has_customers
-- {table} is the shop's table of customers.
select exists (select from {table});

-- name: rows_in_both
-- {shop} is a table of the shop, {mirror} its mirror.
select (select count(*) from {shop}), (select count(*) from {mirror} where not deleted);

-- name: scored_customers
select count(*) from scores.customer_scores;

-- name: last_run
select run_id, status, reason, started_at, as_of, customers from scores.model_runs where kind = 'scores' order by run_id desc limit 1;

-- name: last_published_run
select run_id, started_at, as_of, customers from scores.model_runs where kind = 'scores' and status = 'published'
order by run_id desc limit 1;

-- name: most_at_risk
-- At stake: the chance that a customer buys nothing in the next 90 days, times what he is still worth.
select score.customer_id,
       customer.name,
       score.no_purchase_30d,
       score.no_purchase_90d,
       score.residual_value,
       score.residual_value_low,
       score.residual_value_high,
       score.as_of
from scores.customer_scores score
left join analytics.customers customer using (customer_id)
where score.residual_value is not null and score.no_purchase_90d is not null
order by score.no_purchase_90d * score.residual_value desc, score.customer_id
limit %(limit)s;

-- name: applied_offsets
select topic, partition, next_offset, extract(epoch from now() - applied_at)::float8 as age_s from analytics.offsets;

-- name: stream_time
select stream_time from analytics.stream_clock;

-- name: slot
select active,
       wal_status,
       pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::bigint as retained_bytes
from pg_replication_slots
where slot_name = %(slot)s;
