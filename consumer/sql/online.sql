What the online learner leaves behind, in the transaction that moves the offsets.

-- name: read_model
select state from analytics.online_models where partition = %(partition)s

-- name: read_customers
select customer_id, state from analytics.online_customers where partition = %(partition)s

-- name: write_states
-- All in one statement; a state is taken over as it is written, to the last digit (`json`, not `jsonb`).
with models as (
    insert into analytics.online_models as m (partition, state)
    select partition, state from json_to_recordset(%(models)s::json) as w (partition integer, state json)
    order by partition
    on conflict (partition) do update set state = excluded.state, updated_at = clock_timestamp()
),
customers as (
    insert into analytics.online_customers as c (customer_id, partition, state)
    select id, partition, state
    from json_to_recordset(%(customers)s::json) as w (id bigint, partition integer, state json)
    order by id
    on conflict (customer_id) do update set partition = excluded.partition, state = excluded.state
)
insert into analytics.online_scores as s (customer_id, no_order_30d, as_of, partition)
select id, probability, to_timestamp(at), partition
from json_to_recordset(%(scores)s::json) as w (id bigint, partition integer, probability float8, at float8)
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
