-- The simulator's own memory.

-- name: simulation
select seed, settings, tick, counters, plan, position from truth.simulation

-- name: begin
insert into truth.simulation (id, seed, settings, event_time, tick, counters) values (1, %s, %s, %s, 0, %s)

-- name: alive
select customer_id, segment, created_at, died_at, purchase_rate_per_day, session_rate_per_day, mean_spend, spend_shape,
       promotion_sensitivity, refund_probability
from truth.customers where died_at > %s order by customer_id

-- name: merged those who are still named by somebody's agenda
select customer_id, merged_into from truth.customers
where merged_into is not null and customer_id in (select customer_id from truth.agenda)

-- name: agenda
select due_at, act_id, kind, customer_id, subject_id, amount_cents, rest_cents, plan, billing_period, anchor_at, ends_at, reason
from truth.agenda order by due_at, act_id

-- name: add_customers
copy truth.customers (customer_id, segment, created_at, died_at, purchase_rate_per_day, session_rate_per_day, mean_spend,
                      spend_shape, promotion_sensitivity, refund_probability, plan, subscription_ends_at, cancel_reason) from stdin

-- name: merge_customers
update truth.customers as t set merged_into = c.surviving, merged_at = c.at
from unnest(%s::bigint[], %s::bigint[], %s::timestamptz[]) as c (merged, surviving, at) where t.customer_id = c.merged

-- name: add_acts
copy truth.agenda (due_at, act_id, kind, customer_id, subject_id, amount_cents, rest_cents, plan, billing_period,
                   anchor_at, ends_at, reason) from stdin

-- name: finish_acts
delete from truth.agenda where act_id = any (%s::bigint[])

-- name: start_plan
update truth.simulation set tick = %s, counters = %s, plan = %s, position = 0

-- name: advance
update truth.simulation set event_time = %s, position = %s, plan = case when %s then null else plan end
