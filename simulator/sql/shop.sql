-- What the simulator does to the shop. Sets throughout: the same statement for one row and for ten thousand.

-- name: lock one simulator at a time; held as long as the connection
select pg_advisory_lock(hashtextextended('retentioncast.simulator', 0))

-- name: lock_patience one that was just killed needs a moment to let go
set local lock_timeout = '3s'

-- name: anybody is somebody there already?
select exists (select from shop.customers)

-- name: leave_numbers the simulator counts from 1 by itself; whoever inserts by hand gets numbers from here on
select setval(pg_get_serial_sequence('shop.' || name, key), greatest(10000000000, nextval(pg_get_serial_sequence('shop.' || name, key))))
from (values ('customers', 'customer_id'), ('subscriptions', 'subscription_id'),
             ('transactions', 'transaction_id'), ('sessions', 'session_id')) as tables (name, key)

-- name: customer
copy shop.customers (customer_id, name, email, country, channel, created_at) from stdin

-- name: subscription
copy shop.subscriptions (subscription_id, customer_id, plan, billing_period, price, currency, started_at, cancelled_at, cancel_reason) from stdin

-- name: transaction
copy shop.transactions (transaction_id, customer_id, subscription_id, kind, amount, currency, occurred_at, refers_to, promotion) from stdin

-- name: session
copy shop.sessions (session_id, customer_id, started_at, pages, channel) from stdin

-- name: change_plan
update shop.subscriptions as s set plan = c.plan, price = c.price
from unnest(%s::bigint[], %s::text[], %s::numeric[]) as c (id, plan, price)
where s.subscription_id = c.id

-- name: cancel
update shop.subscriptions as s set cancelled_at = c.at, cancel_reason = c.reason
from unnest(%s::bigint[], %s::timestamptz[], %s::text[]) as c (id, at, reason)
where s.subscription_id = c.id

-- name: correct_amount
update shop.transactions as t set amount = c.amount
from unnest(%s::bigint[], %s::numeric[]) as c (id, amount)
where t.transaction_id = c.id

-- name: correct_time
update shop.transactions as t set occurred_at = c.at
from unnest(%s::bigint[], %s::timestamptz[]) as c (id, at)
where t.transaction_id = c.id

-- name: change_email
update shop.customers as k set email = c.email
from unnest(%s::bigint[], %s::text[]) as c (id, email)
where k.customer_id = c.id

-- name: delete_order
delete from shop.transactions where transaction_id = any (%s::bigint[])

-- name: rekey_subscriptions
update shop.subscriptions as r set customer_id = c.surviving
from unnest(%s::bigint[], %s::bigint[]) as c (merged, surviving) where r.customer_id = c.merged

-- name: rekey_transactions
update shop.transactions as r set customer_id = c.surviving
from unnest(%s::bigint[], %s::bigint[]) as c (merged, surviving) where r.customer_id = c.merged

-- name: rekey_sessions
update shop.sessions as r set customer_id = c.surviving
from unnest(%s::bigint[], %s::bigint[]) as c (merged, surviving) where r.customer_id = c.merged

-- name: delete_customers
delete from shop.customers where customer_id = any (%s::bigint[])
