-- The value of whole segments, for people.

-- name: values
select * from scores.segment_values order by residual_value desc nulls last, segment;

-- name: last_run
select run_id, started_at, status, reason from scores.model_runs
where kind = 'segment values'
order by run_id desc
limit 1;
