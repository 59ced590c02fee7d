drop view scores.retention_triangle;
drop table scores.retention_forecast;
drop function scores.retention_observed;
drop view scores.survival_by_cohort, scores.survival_by_channel, scores.survival_by_plan, scores.survival;
drop function scores.survival_curve;
drop function scores.subscriptions_as_of;
drop function scores.full_months;
