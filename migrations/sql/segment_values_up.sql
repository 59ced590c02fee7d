-- Runs of two kinds: the scores of everybody, and the value of customers and segments by the hierarchical model.
alter table scores.model_runs
    add column kind text not null default 'scores' check (kind in ('scores', 'segment values'));

create or replace view scores.published_models as
select run_id, as_of, started_at, scores.stack_of(run_id) as stack,
       exists (select from scores.recalibrations as r where r.run_id = model_runs.run_id) as recalibrated,
       scores.curve_of(run_id, 30) as d30, scores.curve_of(run_id, 60) as d60, scores.curve_of(run_id, 90) as d90
from scores.model_runs
where status = 'published' and kind = 'scores';

-- What each customer will still bring within the settings' horizon, discounted, told with the customer's segment
-- (docs/models/hierarchical_clv.md). Bounds hold what happens in 50, 80 and 95 % of cases. `basis` is what it rests on:
-- the customer's own purchases, the segment's other customers, or the population of segments.
create table scores.hierarchical_values (
    customer_id            bigint primary key,
    segment                text not null,
    basis                  text not null check (basis in ('own', 'segment', 'population')),
    expected_purchases     double precision,
    expected_spend         double precision,
    residual_value         double precision,
    residual_value_low_50  double precision,
    residual_value_high_50 double precision,
    residual_value_low_80  double precision,
    residual_value_high_80 double precision,
    residual_value_low_95  double precision,
    residual_value_high_95 double precision,
    as_of                  timestamptz not null,
    run_id                 bigint not null references scores.model_runs
);
create index hierarchical_values_segment on scores.hierarchical_values (segment);

-- The same of all customers of a segment together, and what a customer who comes now is worth.
create table scores.segment_values (
    segment                text primary key,
    basis                  text not null check (basis in ('segment', 'population')),
    customers              bigint not null,
    residual_value         double precision,
    residual_value_low_50  double precision,
    residual_value_high_50 double precision,
    residual_value_low_80  double precision,
    residual_value_high_80 double precision,
    residual_value_low_95  double precision,
    residual_value_high_95 double precision,
    new_customer_value     double precision,
    as_of                  timestamptz not null,
    run_id                 bigint not null references scores.model_runs
);

grant select, insert, update, delete on scores.hierarchical_values, scores.segment_values to {prefix}_scorer;
grant select on scores.hierarchical_values, scores.segment_values to {prefix}_reader;
