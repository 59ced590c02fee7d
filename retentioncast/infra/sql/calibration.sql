-- How published probabilities turned out, for people and the API.

-- name: matured
-- Over all runs: predicted and happened by tenth, of a horizon and segment.
select horizon_days, decile, sum(n)::bigint as n, sum(n * mean_predicted) / sum(n) as mean_predicted,
       sum(happened)::bigint as happened, count(distinct run_id) as runs, min(as_of) as first_as_of,
       max(as_of) as last_as_of, string_agg(distinct family, ', ') as families
from scores.calibration
where segment = %(segment)s
  and (%(horizon)s::int is null or horizon_days = %(horizon)s) and (%(run)s::bigint is null or run_id = %(run)s)
group by horizon_days, decile
order by horizon_days, decile;

-- name: segments
select distinct segment from scores.calibration order by segment;

-- name: waiting
-- When the first of the predictions kept meets its horizon, and how many wait.
select min((as_of at time zone 'UTC')::date + horizon_days), count(*) from scores.predictions where happened is null;

-- name: backtest
-- The newest backtest's calibration error of what was chosen, by horizon.
select horizon_days, sum(customers * calibration_error) / sum(customers) as calibration_error,
       sum(customers * log_score) / sum(customers) as log_score, run_id
from scores.backtests
where contender = 'chosen' and run_id = (select max(run_id) from scores.backtests)
group by horizon_days, run_id
order by horizon_days;

-- name: backtest_deciles
-- The newest backtest of what was chosen: predicted and happened by tenth, over all origins.
select horizon_days, decile, sum(n)::bigint as n, sum(n * mean_predicted) / sum(n) as mean_predicted,
       sum(happened)::bigint as happened
from scores.backtest_deciles
where contender = 'chosen' and run_id = (select max(run_id) from scores.backtests)
group by horizon_days, decile
order by horizon_days, decile;
