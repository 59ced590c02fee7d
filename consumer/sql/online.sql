What the online learner leaves behind, in the transaction that moves the offsets.

-- name: read_model
select state from analytics.online_models where partition = %(partition)s

-- name: read_customers
select customer_id, state from analytics.online_customers where partition = %(partition)s

-- name: write_models
insert into analytics.online_models as m (partition, state)
select partition, state::json from unnest(%(partitions)s::integer[], %(states)s::text[]) as w (partition, state)
order by partition
on conflict (partition) do update set state = excluded.state, updated_at = clock_timestamp()

-- name: write_customers
insert into analytics.online_customers as c (customer_id, partition, state)
select id, partition, state::json
from unnest(%(ids)s::bigint[], %(partitions)s::integer[], %(states)s::text[]) as w (id, partition, state) order by id
on conflict (customer_id) do update set partition = excluded.partition, state = excluded.state

-- name: write_scores
insert into analytics.online_scores as s (customer_id, no_order_30d, as_of, partition)
select id, probability, to_timestamp(at), partition
from unnest(%(ids)s::bigint[], %(probabilities)s::float8[], %(times)s::float8[], %(partitions)s::integer[])
    as w (id, probability, at, partition)
order by id
on conflict (customer_id) do update
set no_order_30d = excluded.no_order_30d, as_of = excluded.as_of, partition = excluded.partition

-- name: write_metrics
insert into analytics.online_metrics
    (partition, matured, stream_time, log_loss, auc, base_rate, base_rate_log_loss)
values (%(partition)s, %(matured)s, to_timestamp(%(at)s::float8), %(log_loss)s, %(auc)s, %(base_rate)s,
        %(base_rate_log_loss)s)
on conflict do nothing

-- name: write_drift
insert into analytics.drift_events (partition, matured, stream_time, detector, log_loss)
values (%(partition)s, %(matured)s, to_timestamp(%(at)s::float8), 'page-hinkley', %(log_loss)s)
on conflict do nothing
