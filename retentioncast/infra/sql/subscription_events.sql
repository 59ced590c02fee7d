-- Subscriptions as subscribe and cancel events, for the models of populations.

-- name: as_of  the stream's time: what is known up to then
select stream_time from analytics.stream_clock

-- name: subscriptions  every one that had begun; a later cancellation has not happened yet
select s.subscription_id, s.customer_id, s.plan, s.billing_period, c.channel,
       (case when s.billing_period = 'yearly' then s.price / 12 else s.price end)::float8 as price,
       s.started_at,
       case when s.cancelled_at <= %(as_of)s then s.cancelled_at end as cancelled_at,
       case when s.cancelled_at <= %(as_of)s then s.cancel_reason end as cancel_reason
from analytics.subscriptions as s left join analytics.customers as c on c.customer_id = s.customer_id and not c.deleted
where not s.deleted and s.started_at <= %(as_of)s
order by s.subscription_id
