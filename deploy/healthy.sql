What the health checks ask.

-- name: offsets
select topic, partition, next_offset from analytics.offsets;

-- name: applied_since
-- True while something has been applied lately, or nothing ever.
select coalesce(max(applied_at) > now() - %(patience)s, true) from analytics.offsets;

-- name: fitted_since
select coalesce(max(started_at) > now() - %(patience)s, false) from scores.model_runs where kind = 'scores';
