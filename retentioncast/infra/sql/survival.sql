-- How long subscriptions last, for people and plots.

-- name: curve
select label, day, at_risk, cancelled, censored, survival, std_error, low, high
from scores.survival_curve(%(by)s, %(as_of)s)
order by label, day;

-- name: as_of
select coalesce(%(as_of)s, (select stream_time from analytics.stream_clock));

-- name: triangle
select cohort, month, size, at_risk, retained, rate, rate_low, rate_high, kind, run_id
from scores.retention_triangle
order by cohort, month;

-- name: forecast_missing  why the last run has no forecast
select reason from scores.model_runs where kind = 'scores' order by run_id desc limit 1;
