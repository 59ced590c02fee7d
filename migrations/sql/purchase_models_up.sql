-- What a published run predicts repeat buying with: a stack of models whose predictions are mixed by weight (a single
-- model is a stack of one). Kept for every run, as scores.model_runs is: why a score moved is told from two runs.
create table scores.purchase_models (
    run_id     bigint not null references scores.model_runs,
    member     integer not null check (member >= 0),
    family     text not null,
    weight     double precision not null check (weight >= 0 and weight <= 1),
    time_unit  text not null check (time_unit in ('day', 'week', 'month')),
    parameters jsonb not null check (jsonb_typeof(parameters) = 'object'),
    primary key (run_id, member)
);

-- How the run's P(no purchase within so many days) is set right by what happened to earlier predictions; a horizon
-- without a row is published as the models say. beta: logit(p') = a ln p - b ln(1 - p) + c of {"a", "b", "c"};
-- isotonic: straight lines between the points {"x": [...], "y": [...]}.
create table scores.recalibrations (
    run_id       bigint not null references scores.model_runs,
    horizon_days integer not null check (horizon_days > 0),
    method       text not null check (method in ('beta', 'isotonic')),
    parameters   jsonb not null check (jsonb_typeof(parameters) = 'object'),
    primary key (run_id, horizon_days)
);

-- The run whose scores stand in customer_scores: one row, or none before the first.
create view scores.in_force as
select run_id, as_of, started_at, customers, code_version
from scores.model_runs
where run_id = (select max(run_id) from scores.customer_scores);

grant select, insert, update, delete on scores.purchase_models, scores.recalibrations to {prefix}_scorer;
grant select on scores.in_force to {prefix}_scorer;
grant select on scores.purchase_models, scores.recalibrations, scores.in_force to {prefix}_reader;
