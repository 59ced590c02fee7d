-- One curve a run sets all horizons right (docs/models/risk_now.md): the scorer never wrote two.
delete from scores.recalibrations as r
where horizon_days > (select min(horizon_days) from scores.recalibrations where run_id = r.run_id);
alter table scores.recalibrations drop column horizon_days;
alter table scores.recalibrations add primary key (run_id);
