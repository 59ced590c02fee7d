What refits are judged by: the log of purchase days, the models in force, and what became of earlier predictions.

-- name: purchase_days
-- As in snapshot.customers, a row a customer and day; a part of the customers, the same ones each time.
copy (
    with refunds as (
        select refers_to as transaction_id, sum(amount) as amount
        from analytics.transactions
        where kind = 'refund' and not deleted and refers_to is not null and occurred_at <= %(as_of)s
        group by refers_to
    )
    select t.customer_id,
           ((t.occurred_at at time zone 'UTC')::date - date '1970-01-01')::bigint,
           sum(t.amount - least(t.amount, coalesce(r.amount, 0)))::float8
    from analytics.transactions as t left join refunds as r using (transaction_id)
    where t.occurred_at <= %(as_of)s and t.kind = 'purchase'
      and analytics.is_order(t.kind, t.amount, coalesce(r.amount, 0), t.deleted)
      and (hashint8extended(t.customer_id, 42) & 4095) < %(buckets)s
    group by 1, 2
) to stdout (format binary)

-- name: members
select family, weight, time_unit, parameters from scores.purchase_models where run_id = %(run_id)s order by member

-- name: recalibration
select method, parameters from scores.recalibrations where run_id = %(run_id)s

-- name: matured
-- Those whose last day had passed by then. Each with the family or stack that made it (names in order) and the day (since 1970) it was made.
select (select string_agg(m.family, ' + ' order by m.family collate "C")
        from scores.purchase_models as m where m.run_id = p.run_id),
       (p.as_of at time zone 'UTC')::date - date '1970-01-01', p.customer_id, p.uncalibrated, p.happened::int
from scores.predictions as p
where p.happened is not null
  and (p.as_of at time zone 'UTC')::date + p.horizon_days < (%(as_of)s at time zone 'UTC')::date

-- name: copy_backtests
copy scores.backtests (run_id, origin, horizon_days, contender, customers, log_score, brier, calibration_error, rmse, bias,
                       deviance) from stdin

-- name: copy_deciles
copy scores.backtest_deciles (run_id, origin, horizon_days, contender, decile, n, mean_predicted, happened) from stdin

-- name: forget_backtests
-- The numbers of old runs; their verdicts stay in scores.model_runs.
delete from scores.backtests where run_id <= %(run_id)s - 100 and run_id <> (select max(run_id) from scores.in_force)

-- name: keep_predictions
-- Unless some of about the same time are kept already.
insert into scores.predictions (run_id, horizon_days, customer_id, segment, probability, uncalibrated, as_of)
select %(run_id)s, told.horizon_days, told.customer_id, c.channel, told.probability, told.uncalibrated, %(as_of)s
from unnest(%(horizon_days)s::int[], %(customer_id)s::bigint[], %(probability)s::float8[], %(uncalibrated)s::float8[])
         as told (horizon_days, customer_id, probability, uncalibrated)
left join analytics.customers as c on c.customer_id = told.customer_id and not c.deleted
where (hashint8extended(told.customer_id, 43) & 4095) < %(buckets)s

-- name: is_due
-- Whether the last predictions kept are so many days old, or none are.
select not exists (
    select from scores.predictions
    where as_of > %(as_of)s - make_interval(days => %(days)s) and as_of < %(as_of)s + make_interval(days => %(days)s)
)

-- name: drop_premature
-- Runs that knew less of the purchases up to their own time than is known of it now (by a fiftieth or more): they were made
-- while a past was pouring in, one partition ahead of another. What they told says nothing of the models.
delete from scores.predictions where run_id in (
    select run.run_id
    from (
        select run_id, max(as_of) as as_of
        from scores.predictions
        group by run_id
        having count(happened) = 0
           and min((as_of at time zone 'UTC')::date + horizon_days) < (%(as_of)s at time zone 'UTC')::date
    ) as run
    join scores.model_runs as told using (run_id)
    cross join lateral (select sum(frequency + 1) as days from scores.purchases_at(run.as_of)) as known
    where known.days > 1.02 * (told.parameters #>> '{purchase,n_purchase_days}')::float8
)

-- name: settle
-- What became of predictions whose last day has passed: whether no purchase that counts as an order fell into it.
with due as (
    select run_id, horizon_days, customer_id, (as_of at time zone 'UTC')::date as day
    from scores.predictions
    where happened is null
      and (as_of at time zone 'UTC')::date + horizon_days < (%(as_of)s at time zone 'UTC')::date
),
refunds as (
    select refers_to as transaction_id, sum(amount) as amount
    from analytics.transactions
    where kind = 'refund' and not deleted and refers_to is not null and exists (select from due)
    group by refers_to
),
bought as (
    select distinct due.run_id, due.horizon_days, due.customer_id
    from due
    join analytics.transactions as t
      on t.customer_id = due.customer_id and t.kind = 'purchase'
     and (t.occurred_at at time zone 'UTC')::date > due.day
     and (t.occurred_at at time zone 'UTC')::date <= due.day + due.horizon_days
    left join refunds as r using (transaction_id)
    where analytics.is_order(t.kind, t.amount, coalesce(r.amount, 0), t.deleted)
),
settled as (
    select due.*, bought.run_id is null as happened
    from due left join bought using (run_id, horizon_days, customer_id)
)
update scores.predictions as p set happened = s.happened
from settled as s
where (p.run_id, p.horizon_days, p.customer_id) = (s.run_id, s.horizon_days, s.customer_id)
returning p.run_id, p.horizon_days, coalesce(p.segment, ''), p.probability, p.happened::int

-- name: write_calibration
insert into scores.calibration (run_id, horizon_days, segment, decile, family, as_of, n, mean_predicted, happened,
                                happened_low, happened_high)
select %(run_id)s, %(horizon_days)s, %(segment)s, %(decile)s,
       (select string_agg(family, ' + ' order by family collate "C") from scores.purchase_models
        where run_id = %(run_id)s),
       (select as_of from scores.model_runs where run_id = %(run_id)s),
       %(n)s, %(mean_predicted)s, %(happened)s, %(low)s, %(high)s
on conflict do nothing

-- name: forget_predictions
delete from scores.predictions where happened is not null and as_of < %(as_of)s - interval '180 days'
