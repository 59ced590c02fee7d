What the freshness benchmark does to the shop, and what it looks at.

-- name: customers
insert into shop.customers (customer_id, name, email, country, channel, created_at)
select number, 'N' || number, 'n' || number || '@example.com', 'DE', 'ads', now() - interval '1 year'
from generate_series(1, %(count)s) as number

-- name: sell
insert into shop.transactions (transaction_id, customer_id, kind, amount, occurred_at)
values (%(transaction_id)s, %(customer_id)s, 'purchase', 19.90, now())

-- name: progress
select partition, next_offset from analytics.offsets where topic = %(topic)s
