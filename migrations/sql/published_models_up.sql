-- As migration 0012 left it, for going back to 0013.
create or replace view scores.published_models as
select run_id, as_of, started_at, scores.stack_of(run_id) as stack,
       exists (select from scores.recalibrations as r where r.run_id = model_runs.run_id) as recalibrated,
       scores.curve_of(run_id, 30) as d30, scores.curve_of(run_id, 60) as d60, scores.curve_of(run_id, 90) as d90
from scores.model_runs
where status = 'published' and kind = 'scores';
