What the scorer keeps counted for `scores.risk_now`, so that a look at everybody need not read every transaction.

-- name: count
-- Customers whose transactions changed since they were counted: their totals are no longer the row (xmin) of then.
insert into scores.customer_purchases as kept
    (customer_id, purchase_days, first_day, latest_day, latest_order, known_to, totals)
select t.customer_id, c.purchase_days, c.first_day, c.latest_day, c.latest_order, c.known_to, t.xmin
from analytics.customer_totals as t cross join lateral scores.purchases_of(t.customer_id, 'infinity') as c
where not exists (
    select from scores.customer_purchases as k where k.customer_id = t.customer_id and k.totals = t.xmin
)
on conflict (customer_id) do update set
    purchase_days = excluded.purchase_days,
    first_day     = excluded.first_day,
    latest_day    = excluded.latest_day,
    latest_order  = excluded.latest_order,
    known_to      = excluded.known_to,
    totals        = excluded.totals

-- name: forget
-- Customers of whom nothing is left after a TRUNCATE.
delete from scores.customer_purchases as kept
where not exists (select from analytics.customer_totals as t where t.customer_id = kept.customer_id)
