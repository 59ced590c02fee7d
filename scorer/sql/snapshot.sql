What the scorer reads, all in one REPEATABLE READ transaction. Nothing after %(as_of)s counts: no order, no refund, no
cancellation. What the mirror cannot tell is what a row was before it was corrected or deleted: its last state counts.

-- name: begin
set transaction isolation level repeatable read, read only

-- name: stream_time
select stream_time from analytics.stream_clock

-- name: customers
-- One row a customer with an order. Days are UTC days. What refunds gave back of a purchase that stays an order is
-- taken off its amount. Only purchases make frequency, recency, age and monetary value; NaN where there is none.
-- Fixed width and without nulls, so that it is read as one array (scorer/binary_copy.py).
copy (
    with refunds as (
        select refers_to as transaction_id, sum(amount) as amount
        from analytics.transactions
        where kind = 'refund' and not deleted and refers_to is not null and occurred_at <= %(as_of)s
        group by refers_to
    ),
    orders as (
        select t.customer_id, t.kind, t.occurred_at, t.amount - least(t.amount, coalesce(r.amount, 0)) as amount
        from analytics.transactions as t left join refunds as r using (transaction_id)
        where t.occurred_at <= %(as_of)s and analytics.is_order(t.kind, t.amount, coalesce(r.amount, 0), t.deleted)
    ),
    days as (
        select customer_id,
               (occurred_at at time zone 'UTC')::date as day,
               sum(amount) filter (where kind = 'purchase') as amount,
               min(occurred_at) as first_order,
               max(occurred_at) as latest_order
        from orders
        group by 1, 2
    ),
    dated as (
        select *, min(day) filter (where amount is not null) over (partition by customer_id) as first_day from days
    )
    select customer_id,
           coalesce(nullif(count(amount), 0) - 1, 'NaN'::float8),
           coalesce(max(day) filter (where amount is not null) - first_day, 'NaN'::float8),
           coalesce((%(as_of)s at time zone 'UTC')::date - first_day, 'NaN'::float8),
           case when first_day is null then 'NaN'
                else coalesce(sum(amount) filter (where day > first_day) / nullif(count(amount) - 1, 0), 0)::float8 end,
           (extract(epoch from min(first_order)) * 1000000)::bigint,
           (extract(epoch from max(latest_order)) * 1000000)::bigint
    from dated
    group by customer_id, first_day
    order by customer_id
) to stdout (format binary)

-- name: subscriptions
-- Every subscription that had begun; one cancelled later goes on.
select s.customer_id,
       s.plan,
       s.billing_period,
       c.channel,
       s.price::float8,
       floor(extract(epoch from least(s.cancelled_at, %(as_of)s) - s.started_at) / 86400)::float8 as duration_days,
       (s.cancelled_at is not null and s.cancelled_at <= %(as_of)s)::int as event
from analytics.subscriptions as s left join analytics.customers as c on c.customer_id = s.customer_id and not c.deleted
where not s.deleted and s.started_at <= %(as_of)s
order by s.customer_id, s.subscription_id

-- name: in_force
-- What the scores in force hold: a refit must not replace a part of them by nothing.
select run_id, count(no_purchase_30d) > 0, count(residual_value) > 0 from scores.customer_scores group by run_id

-- name: growth
-- Cheap enough to ask every second: customers with an order (up to a limit), and how many changes were applied.
select (select count(*) from (select from analytics.customer_totals where order_count > 0 limit %(limit)s) as found),
       (select coalesce(sum(next_offset), 0)::bigint from analytics.offsets)
