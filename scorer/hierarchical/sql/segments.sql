What the refit of segment values reads and writes. Customers themselves are read by `snapshot.customers`.

-- name: try_lock
-- One such refit at a time; not the lock of the scores, which go on meanwhile.
select pg_try_advisory_lock(731903)

-- name: unlock
select pg_advisory_unlock(731903)

-- name: by_channel
select customer_id, coalesce(nullif(channel, ''), 'unknown') from analytics.customers where not deleted

-- name: by_country
select customer_id, coalesce(nullif(country, ''), 'unknown') from analytics.customers where not deleted

-- name: by_plan
-- That of the latest subscription.
select distinct on (customer_id) customer_id, coalesce(nullif(plan, ''), 'unknown')
from analytics.subscriptions
where not deleted and started_at <= %(as_of)s
order by customer_id, started_at desc, subscription_id desc

-- name: last_population
-- Where the last published refit by the same segments ended: the next one begins there.
select parameters -> 'population'
from scores.model_runs
where kind = 'segment values' and status = 'published' and parameters ->> 'by' = %(by)s
order by run_id desc
limit 1

-- name: scores_in_force
select exists (select from scores.customer_scores)

-- name: record_run
insert into scores.model_runs
    (kind, started_at, as_of, status, reason, parameters, data_from, data_to, customers, duration_s, code_version)
values
    ('segment values', %(started_at)s, %(as_of)s, %(status)s, %(reason)s, %(parameters)s, %(data_from)s, %(data_to)s,
     %(customers)s, %(duration_s)s, %(code_version)s)
returning run_id

-- name: finish_run
update scores.model_runs set duration_s = %(duration_s)s where run_id = %(run_id)s

-- name: forget_customers
-- Not TRUNCATE: readers keep seeing the last values until this transaction commits.
delete from scores.hierarchical_values

-- name: forget_segments
delete from scores.segment_values

-- name: copy_customers
copy scores.hierarchical_values (customer_id, segment, basis, {columns}, as_of, run_id) from stdin

-- name: copy_segments
copy scores.segment_values (segment, basis, customers, {columns}, new_customer_value, as_of, run_id) from stdin
