-- What the consumer would leave of the shop's customers and subscriptions.

-- name: customers
insert into analytics.customers
select customer_id, name, email, country, channel, created_at, 1, 1, false from shop.customers

-- name: subscriptions
insert into analytics.subscriptions
select subscription_id, customer_id, plan, billing_period, price, currency, started_at, cancelled_at, cancel_reason, 1, 1, false
from shop.subscriptions

-- name: clock
insert into analytics.offsets (topic, partition, next_offset, topic_id, stream_time) values ('shop', 0, 1, 'id', %s)

-- name: truth
select s.subscription_id, t.segment from shop.subscriptions as s join truth.customers as t using (customer_id)
