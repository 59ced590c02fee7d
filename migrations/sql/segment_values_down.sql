drop table scores.hierarchical_values, scores.segment_values;

-- Runs of the other kind cannot be told from scores without the column.
delete from scores.model_runs where kind <> 'scores';

create or replace view scores.published_models as
select run_id, as_of, started_at, scores.stack_of(run_id) as stack,
       exists (select from scores.recalibrations as r where r.run_id = model_runs.run_id) as recalibrated,
       scores.curve_of(run_id, 30) as d30, scores.curve_of(run_id, 60) as d60, scores.curve_of(run_id, 90) as d90
from scores.model_runs
where status = 'published';

alter table scores.model_runs drop column kind;
