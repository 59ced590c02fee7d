What is needed to say why a customer's risk moved: rows of the mirror, runs, and what a run says of a customer.

-- name: now  the stream's time, and the run in force
select stream_time, (select run_id from scores.in_force) from analytics.stream_clock;

-- name: run_at  the run that spoke last at a time, among those whose models are kept
select run_id, as_of from scores.model_runs
where status = 'published' and as_of <= %(moment)s
  and exists (select from scores.purchase_models as m where m.run_id = model_runs.run_id)
order by as_of desc, run_id desc limit 1;

-- name: first_run  the earliest since a time
select run_id, as_of from scores.model_runs
where status = 'published' and as_of >= %(moment)s
  and exists (select from scores.purchase_models as m where m.run_id = model_runs.run_id)
order by as_of, run_id limit 1;

-- name: transactions  the customer's, and the refunds of them, as they are now; what they were before a correction is not kept
with own as (
    select * from analytics.transactions where customer_id = %(customer)s and not deleted
)
select transaction_id, customer_id, kind, amount, occurred_at, refers_to from own
union
select r.transaction_id, r.customer_id, r.kind, r.amount, r.occurred_at, r.refers_to
from own join analytics.transactions as r on r.refers_to = own.transaction_id and r.kind = 'refund' and not r.deleted;

-- name: levels  what a run says of these states, in their order
select scores.set_right(said.p1, run.curve), said.probability_alive
from scores.published_models as run
cross join unnest(%(frequency)s::float8[], %(recency_days)s::float8[], %(age_days)s::float8[])
    with ordinality as state (frequency, recency_days, age_days, number)
cross join lateral scores.predict(
    state.number, stack, run_id, state.frequency, state.recency_days, state.age_days, 30, null, null) as said
where run_id = %(run)s
order by number;
