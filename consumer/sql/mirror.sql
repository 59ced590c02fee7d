Upserts into the mirror. {source} is what brings the rows: JSON for a few, a temporary table for many.
A row is written only when its version (commit_lsn, lsn) is newer than the one that is there; a row that is older than
a TRUNCATE of its table is written as deleted. A text that Debezium left out because it did not change is kept.

-- name: customers
insert into analytics.customers as t
    (customer_id, name, email, country, channel, created_at, commit_lsn, lsn, deleted)
select customer_id, name, email, country, channel, created_at, commit_lsn, lsn,
       deleted or (staged.commit_lsn, staged.lsn) < {floor}
from {source}
order by customer_id
on conflict (customer_id) do update set
    name       = case excluded.name    when '__debezium_unavailable_value' then t.name    else excluded.name end,
    email      = case excluded.email   when '__debezium_unavailable_value' then t.email   else excluded.email end,
    country    = case excluded.country when '__debezium_unavailable_value' then t.country else excluded.country end,
    channel    = case excluded.channel when '__debezium_unavailable_value' then t.channel else excluded.channel end,
    created_at = excluded.created_at,
    commit_lsn = excluded.commit_lsn,
    lsn        = excluded.lsn,
    deleted    = excluded.deleted
where (excluded.commit_lsn, excluded.lsn) > (t.commit_lsn, t.lsn)

-- name: subscriptions
insert into analytics.subscriptions as t
    (subscription_id, customer_id, plan, billing_period, price, currency, started_at, cancelled_at, cancel_reason,
     commit_lsn, lsn, deleted)
select subscription_id, customer_id, plan, billing_period, price, currency, started_at, cancelled_at, cancel_reason,
       commit_lsn, lsn,
       deleted or (staged.commit_lsn, staged.lsn) < {floor}
from {source}
order by subscription_id
on conflict (subscription_id) do update set
    customer_id    = excluded.customer_id,
    plan           = excluded.plan,
    billing_period = excluded.billing_period,
    price          = excluded.price,
    currency       = excluded.currency,
    started_at     = excluded.started_at,
    cancelled_at   = excluded.cancelled_at,
    cancel_reason  = case excluded.cancel_reason
                         when '__debezium_unavailable_value' then t.cancel_reason else excluded.cancel_reason end,
    commit_lsn = excluded.commit_lsn,
    lsn            = excluded.lsn,
    deleted        = excluded.deleted
where (excluded.commit_lsn, excluded.lsn) > (t.commit_lsn, t.lsn)

-- name: sessions
insert into analytics.sessions as t
    (session_id, customer_id, started_at, pages, channel, commit_lsn, lsn, deleted)
select session_id, customer_id, started_at, pages, channel, commit_lsn, lsn,
       deleted or (staged.commit_lsn, staged.lsn) < {floor}
from {source}
order by session_id
on conflict (session_id) do update set
    customer_id = excluded.customer_id,
    started_at  = excluded.started_at,
    pages       = excluded.pages,
    channel     = case excluded.channel when '__debezium_unavailable_value' then t.channel else excluded.channel end,
    commit_lsn = excluded.commit_lsn,
    lsn         = excluded.lsn,
    deleted     = excluded.deleted
where (excluded.commit_lsn, excluded.lsn) > (t.commit_lsn, t.lsn)

-- name: transactions
-- The mirror and the RFM sums in one statement: RETURNING old and new says what to take back and what to add.
-- It answers with what is left to do: 'refund' rows (a transaction, and by how much its refunds have changed) and
-- 'recheck' rows (a customer who lost or moved orders, and the times of the earliest and the latest of these: where
-- they are his first or latest, those cannot follow from the sums).
-- Totals that are there are updated, and only the others inserted: ON CONFLICT would lock each row first, logged.
with applied as (
    insert into analytics.transactions as t
        (transaction_id, customer_id, subscription_id, kind, amount, currency, occurred_at, refers_to, promotion,
         commit_lsn, lsn, deleted)
    select transaction_id, customer_id, subscription_id, kind, amount, currency, occurred_at, refers_to, promotion,
           commit_lsn, lsn,
       deleted or (staged.commit_lsn, staged.lsn) < {floor}
    from {source}
    order by transaction_id
    on conflict (transaction_id) do update set
        customer_id     = excluded.customer_id,
        subscription_id = excluded.subscription_id,
        kind            = excluded.kind,
        amount          = excluded.amount,
        currency        = excluded.currency,
        occurred_at     = excluded.occurred_at,
        refers_to       = excluded.refers_to,
        promotion       = case excluded.promotion
                              when '__debezium_unavailable_value' then t.promotion else excluded.promotion end,
        commit_lsn = excluded.commit_lsn,
        lsn             = excluded.lsn,
        deleted         = excluded.deleted
    where (excluded.commit_lsn, excluded.lsn) > (t.commit_lsn, t.lsn)
    returning
        old.customer_id as old_customer_id, old.kind as old_kind, old.amount as old_amount,
        old.occurred_at as old_occurred_at, old.refers_to as old_refers_to,
        coalesce(old.deleted, true) as old_deleted,
        coalesce(analytics.is_order(old.kind, old.amount, old.refunded, old.deleted), false) as was_order,
        new.customer_id, new.kind, new.amount, new.occurred_at, new.refers_to, new.deleted,
        coalesce(analytics.is_order(new.kind, new.amount, new.refunded, new.deleted), false) as is_order
),
sides as (
    select customer_id, is_order::int as orders, analytics.order_value(kind, amount, deleted) as value,
           case when is_order then occurred_at end as ordered_at
    from applied where not deleted
    union all
    select old_customer_id, -was_order::int, -analytics.order_value(old_kind, old_amount, old_deleted), null
    from applied where not old_deleted
),
deltas as (
    select customer_id, sum(orders) as orders, sum(value) as value,
           min(ordered_at) as first, max(ordered_at) as latest
    from sides group by customer_id
),
known as (
    update analytics.customer_totals as c set
        first_purchase  = least(c.first_purchase, d.first),
        latest_purchase = greatest(c.latest_purchase, d.latest),
        order_count     = c.order_count + d.orders,
        order_value     = c.order_value + d.value
    from (select * from deltas order by customer_id) as d
    where c.customer_id = d.customer_id
    returning c.customer_id
),
totals as (
    insert into analytics.customer_totals as c
        (customer_id, first_purchase, latest_purchase, order_count, order_value)
    select customer_id, first, latest, orders, value from deltas
    where customer_id not in (select customer_id from known) order by customer_id
    on conflict (customer_id) do update set
        first_purchase  = least(c.first_purchase, excluded.first_purchase),
        latest_purchase = greatest(c.latest_purchase, excluded.latest_purchase),
        order_count     = c.order_count + excluded.order_count,
        order_value     = c.order_value + excluded.order_value
)
select 'refund' as todo, refers_to as id, sum(amount) as amount, null::timestamptz as first, null::timestamptz as latest
from (
    select refers_to, amount from applied where kind = 'refund' and not deleted and refers_to is not null
    union all
    select old_refers_to, -old_amount from applied
    where old_kind = 'refund' and not old_deleted and old_refers_to is not null
) as refunds
group by refers_to having sum(amount) <> 0
union all
select 'recheck', old_customer_id, 0, min(old_occurred_at), max(old_occurred_at)
from applied
where was_order
  and (not is_order or customer_id is distinct from old_customer_id or occurred_at is distinct from old_occurred_at)
group by old_customer_id

-- name: refunds
-- Refunds have changed by so much: the transactions that they refer to may have become orders, or stopped being.
-- A transaction that has not come yet gets a place-holder (version -1, deleted) that keeps its refunds.
with applied as (
    insert into analytics.transactions as t (transaction_id, refunded, commit_lsn, lsn, deleted)
    select id, amount, -1, -1, true
    from unnest(%(ids)s::bigint[], %(amounts)s::numeric[]) as d (id, amount)
    order by id
    on conflict (transaction_id) do update set refunded = t.refunded + excluded.refunded
    returning new.customer_id, new.occurred_at,
        coalesce(analytics.is_order(old.kind, old.amount, old.refunded, old.deleted), false) as was_order,
        coalesce(analytics.is_order(new.kind, new.amount, new.refunded, new.deleted), false) as is_order
),
flips as (
    select customer_id, sum(is_order::int - was_order::int) as orders,
           min(occurred_at) filter (where is_order) as first, max(occurred_at) filter (where is_order) as latest,
           min(occurred_at) filter (where was_order) as first_lost,
           max(occurred_at) filter (where was_order) as latest_lost
    from applied where was_order <> is_order group by customer_id
),
totals as (
    insert into analytics.customer_totals as c
        (customer_id, first_purchase, latest_purchase, order_count, order_value)
    select customer_id, first, latest, orders, 0 from flips order by customer_id
    on conflict (customer_id) do update set
        first_purchase  = least(c.first_purchase, excluded.first_purchase),
        latest_purchase = greatest(c.latest_purchase, excluded.latest_purchase),
        order_count     = c.order_count + excluded.order_count
)
select customer_id, first_lost, latest_lost from flips where first_lost is not null

-- name: recheck
-- First and latest order anew from the mirror, for customers whose totals this transaction holds locked and who lost
-- orders at either end: what lay between first and latest changes neither.
update analytics.customer_totals as c
set first_purchase = seen.first, latest_purchase = seen.latest
from unnest(%(ids)s::bigint[], %(firsts)s::timestamptz[], %(latests)s::timestamptz[])
    as lost (customer_id, first, latest)
join analytics.customer_totals as held using (customer_id)
cross join lateral (
    select min(occurred_at) as first, max(occurred_at) as latest
    from analytics.transactions as t
    where t.customer_id = held.customer_id and analytics.is_order(t.kind, t.amount, t.refunded, t.deleted)
) as seen
where (lost.first <= held.first_purchase or lost.latest >= held.latest_purchase)
  and c.customer_id = held.customer_id

-- name: truncation_floor
insert into analytics.truncations as t (table_name, commit_lsn, lsn) values (%(table)s, %(commit_lsn)s, %(lsn)s)
on conflict (table_name) do update set commit_lsn = excluded.commit_lsn, lsn = excluded.lsn
where (excluded.commit_lsn, excluded.lsn) > (t.commit_lsn, t.lsn)

-- name: truncate_mirror
-- All rows below the floor are gone; the floor keeps out those that other partitions still bring.
update analytics.{table} set deleted = true, commit_lsn = %(commit_lsn)s, lsn = %(lsn)s
where (commit_lsn, lsn) < (%(commit_lsn)s, %(lsn)s) and not deleted

-- name: reset_refunded
-- After a TRUNCATE: what is refunded follows from the refunds that are left.
with live as (
    select refers_to, sum(amount) as amount from analytics.transactions
    where kind = 'refund' and not deleted and refers_to is not null group by refers_to
)
update analytics.transactions as t set refunded = coalesce(live.amount, 0)
from analytics.transactions as every left join live on live.refers_to = every.transaction_id
where t.transaction_id = every.transaction_id and t.refunded <> coalesce(live.amount, 0)

-- name: forget_totals
delete from analytics.customer_totals

-- name: rebuild_totals
insert into analytics.customer_totals (customer_id, first_purchase, latest_purchase, order_count, order_value)
select customer_id,
       min(occurred_at) filter (where analytics.is_order(kind, amount, refunded, deleted)),
       max(occurred_at) filter (where analytics.is_order(kind, amount, refunded, deleted)),
       count(*) filter (where analytics.is_order(kind, amount, refunded, deleted)),
       sum(analytics.order_value(kind, amount, deleted))
from analytics.transactions
where not deleted
group by customer_id
