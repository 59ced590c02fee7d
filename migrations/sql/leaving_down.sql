-- As they were: see risk_now_up.sql.
-- The risk of every customer with an order as of any moment, by the run in force.
create or replace function scores.risk_at(moment timestamptz)
returns table (
    customer_id bigint, probability_alive float8, no_purchase_30d float8, no_purchase_60d float8, no_purchase_90d float8,
    inactive_30d boolean, inactive_60d boolean, inactive_90d boolean, days_since_purchase integer,
    usual_gap_days float8, overdue float8, silence_if_alive float8, as_of timestamptz, run_id bigint
)
language sql stable parallel safe rows 100000
begin atomic
    with run as materialized (
        select * from scores.published_models where run_id = (select run_id from scores.in_force)
    )
    select c.customer_id, said.probability_alive, said.no_purchase_30d, said.no_purchase_60d, said.no_purchase_90d,
           c.latest_order < moment - interval '30 days',
           c.latest_order < moment - interval '60 days',
           c.latest_order < moment - interval '90 days',
           (c.age_days - c.recency_days)::integer,
           c.recency_days / nullif(c.frequency, 0),
           (c.age_days - c.recency_days) * c.frequency / nullif(c.recency_days, 0),
           said.silence_if_alive, moment, run.run_id
    from run
    cross join scores.purchases_at(moment) as c
    cross join lateral scores.predict_right(
        run.stack, run.recalibrated, run.d30, run.d60, run.d90, c.frequency, c.recency_days, c.age_days, 30) as said;
end;

-- P(no purchase within any number of days) of every customer as of any moment.
create or replace function scores.no_purchase_at(horizon_days integer, moment timestamptz)
returns table (customer_id bigint, no_purchase float8, as_of timestamptz, run_id bigint)
language sql stable parallel safe rows 100000
begin atomic
    with run as materialized (
        select * from scores.published_models where run_id = (select run_id from scores.in_force)
    )
    select c.customer_id, said.no_purchase, moment, run.run_id
    from run
    cross join scores.purchases_at(moment) as c
    cross join lateral scores.predict_right(
        run.stack, run.recalibrated, run.d30, run.d60, run.d90, c.frequency, c.recency_days, c.age_days, horizon_days) as said;
end;

create or replace function scores.leaves_first_gompertz(k float8, alpha float8, b float8, s float8, beta float8, age float8)
returns float8
language sql stable strict parallel safe
begin atomic
    select sum(weight * scores.bounded_exp(-k * ln(1 + d / (alpha + age))))
    from (
        select weight,
               case when minus_log_w < 600 * s
                    then ln(1 + (1 + (beta - 1) * scores.bounded_exp(-b * age)) * (exp(minus_log_w / s) - 1)) / b
                    else (minus_log_w / s + ln(1 + (beta - 1) * scores.bounded_exp(-b * age))) / b end as d
        from scores.quadrature
    ) as outlived;
end;

drop function scores.predict_right_remembering(
    scores.member[], boolean, scores.curve, scores.curve, scores.curve, float8, float8, float8, float8);
drop function scores.worth_remembering(scores.member[]);
drop function scores.predict_remembering(scores.member[], float8, float8, float8, float8);
drop function scores.predict_given(
    scores.member[], float8, float8, float8, float8, float8[], float8[], float8[], float8[], float8[], float8[]);
drop function scores.silent_given(
    text, float8, float8, float8, float8, float8, float8, float8, float8, float8, float8, float8);
drop function scores.alive_given(
    text, float8, float8, float8, float8, float8, float8, float8, float8, float8, float8, float8);
drop function scores.leaving_since(scores.member[], float8, float8);
drop function scores.leaving_from(scores.member[], float8, float8, float8);
drop function scores.leaves_first_integral(float8, float8, float8, float8);
