Where each month's subscribers stand, and the forecast of what becomes of them (scorer/retention.py).

-- name: standing
-- Subscriptions by the month of their start, months for which there was time, months survived, and whether they go on;
-- `elapsed` is the share of the month under way that is over, on average; `seen` the last month of the triangle that
-- scores.retention_observed shows.
with lives as (
    select date_trunc('month', started_at at time zone 'UTC') as cohort,
           started_at at time zone 'UTC' as began,
           scores.full_months(started_at, %(as_of)s) as faced,
           scores.full_months(started_at, coalesce(cancelled_at, %(as_of)s)) as periods,
           cancelled_at is null as active
    from scores.subscriptions_as_of(%(as_of)s)
)
select cohort::date, faced, periods, active,
       avg(extract(epoch from %(as_of)s at time zone 'UTC' - (began + make_interval(months => faced)))
           / extract(epoch from began + make_interval(months => faced + 1)
                                - (began + make_interval(months => faced))))::float8 as elapsed,
       count(*) as customers,
       greatest(scores.full_months((cohort + interval '1 month') at time zone 'UTC', %(as_of)s), 0) as seen
from lives
group by cohort, faced, periods, active
order by cohort, faced, periods, active

-- name: forget
delete from scores.retention_forecast

-- name: copy
copy scores.retention_forecast (run_id, cohort, month, size, at_risk, retained, retained_low, retained_high) from stdin
