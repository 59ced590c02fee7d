-- All of risk_now sooner under models in which customers leave at a time of their own: Pareto/NBD, Gamma-Gompertz/NBD.
-- What takes long there, leaves_first, depends on the purchases and one age alone, in which a tenth of 100,000 customers
-- differ. So it is asked for in functions of just these, which the planner writes into the query and remembers the
-- answers of (Memoize). Under other models nothing takes so long that it is worth remembering: they are asked as before.

-- The integral of leaves_first_gompertz (see there), with what all its nodes share worked out before: `g` is
-- 1 + (beta - 1) e^(-b age), `scale` b (alpha + age). Beyond e^600 the logarithm of a sum is that of its larger part.
create function scores.leaves_first_integral(k float8, s float8, g float8, scale float8) returns float8
language sql stable strict parallel safe
begin atomic
    select sum(weight * exp(greatest(-600, -k * ln(1 + (
        ln(1 + g * (exp(least(minus_log_w / s, 600)) - 1)) + greatest(minus_log_w / s - 600, 0)) / scale))))
    from scores.quadrature;
end;

create or replace function scores.leaves_first_gompertz(
    k float8, alpha float8, b float8, s float8, beta float8, age float8
) returns float8
language sql stable strict parallel safe
return scores.leaves_first_integral(k, s, 1 + (beta - 1) * scores.bounded_exp(-b * age), b * (alpha + age));

-- Of each model of a stack, in its order: leaves_first at an age, and 30, 60, 90 and `horizon_days` days later (null
-- where that is one of the three).
create function scores.leaving_from(stack scores.member[], frequency float8, age_days float8, horizon_days float8)
returns table (at_once float8[], in_30 float8[], in_60 float8[], in_90 float8[], in_horizon float8[])
language sql stable parallel safe rows 1
begin atomic
    select array_agg(scores.leaves_first(family, r, alpha, b, s, beta, frequency, age_days / days)),
           array_agg(scores.leaves_first(family, r, alpha, b, s, beta, frequency, (age_days + 30) / days)),
           array_agg(scores.leaves_first(family, r, alpha, b, s, beta, frequency, (age_days + 60) / days)),
           array_agg(scores.leaves_first(family, r, alpha, b, s, beta, frequency, (age_days + 90) / days)),
           array_agg(case when horizon_days not in (30, 60, 90)
                          then scores.leaves_first(family, r, alpha, b, s, beta, frequency, (age_days + horizon_days) / days)
                     end)
    from unnest(stack)
    where frequency is not null;
end;

-- The same after the latest purchase.
create function scores.leaving_since(stack scores.member[], frequency float8, recency_days float8)
returns table (at_latest float8[])
language sql stable parallel safe rows 1
begin atomic
    select array_agg(scores.leaves_first(family, r, alpha, b, s, beta, frequency, recency_days / days))
    from unnest(stack)
    where frequency is not null;
end;

-- scores.alive, given leaves_first at t_x and at age.
create function scores.alive_given(
    family text, r float8, alpha float8, a float8, b float8, s float8, beta float8, x float8, t_x float8, age float8,
    leaves_latest float8, leaves_now float8
) returns float8
language sql immutable parallel safe
return case family
    when 'BG/NBD' then scores.alive_bg_nbd(r, alpha, a, b, x, t_x, age)
    when 'MBG/NBD' then scores.alive_mbg_nbd(r, alpha, a, b, x, t_x, age)
    else 1 / (1 + greatest(0, leaves_latest / scores.waits(family, r, alpha, b, s, beta, x, t_x, age - t_x) - leaves_now))
end;

-- scores.silent, given leaves_first at age and at age + t.
create function scores.silent_given(
    family text, r float8, alpha float8, b float8, s float8, beta float8, x float8, age float8, alive float8,
    leaves_now float8, leaves_then float8, t float8
) returns float8
language sql immutable parallel safe
return 1 - alive * (1 - leaves_now - scores.waits(family, r, alpha, b, s, beta, x, age, t) * (1 - leaves_then));

-- scores.predict, given what leaving_from and leaving_since say.
create function scores.predict_given(
    stack scores.member[], frequency float8, recency_days float8, age_days float8, horizon_days float8,
    at_latest float8[], at_once float8[], in_30 float8[], in_60 float8[], in_90 float8[], in_horizon float8[]
) returns table (probability_alive float8, p30 float8, p60 float8, p90 float8, p float8, silence_if_alive float8)
language sql stable parallel safe rows 1
begin atomic
    select sum(weight * alive) / sum(weight), sum(weight * s30) / sum(weight), sum(weight * s60) / sum(weight),
           sum(weight * s90) / sum(weight),
           sum(weight * case horizon_days when 30 then s30 when 60 then s60 when 90 then s90
                        else scores.silent_given(family, r, alpha, b, s, beta, x, age, alive, now, horizon, horizon_days / days)
                        end) / sum(weight),
           sum(weight * scores.silent_while_alive(r, alpha, x, t_x, age - t_x)) / sum(weight)
    from (
        select *, scores.silent_given(family, r, alpha, b, s, beta, x, age, alive, now, by_30, 30 / days) as s30,
               scores.silent_given(family, r, alpha, b, s, beta, x, age, alive, now, by_60, 60 / days) as s60,
               scores.silent_given(family, r, alpha, b, s, beta, x, age, alive, now, by_90, 90 / days) as s90
        from (
            select *, scores.alive_given(family, r, alpha, a, b, s, beta, x, t_x, age, latest, now) as alive
            from (
                select *, frequency as x, recency_days / days as t_x, age_days / days as age,
                       at_latest[i] as latest, at_once[i] as now, in_30[i] as by_30, in_60[i] as by_60,
                       in_90[i] as by_90, in_horizon[i] as horizon
                from unnest(stack) with ordinality as m (weight, days, family, r, alpha, a, b, s, beta, i)
                where frequency is not null
                offset 0
            ) as timed
            offset 0
        ) as living
        offset 0
    ) as member;
end;

-- scores.predict, in parts that are remembered. The state is named first: what is remembered goes by its columns.
create function scores.predict_remembering(
    stack scores.member[], frequency float8, recency_days float8, age_days float8, horizon_days float8
) returns table (probability_alive float8, p30 float8, p60 float8, p90 float8, p float8, silence_if_alive float8)
language sql stable parallel safe rows 1
begin atomic
    select said.*
    from (select frequency as x, recency_days as latest, age_days as age offset 0) as state
    cross join lateral scores.leaving_from(stack, state.x, state.age, horizon_days) as later
    cross join lateral scores.leaving_since(stack, state.x, state.latest) as earlier
    cross join lateral scores.predict_given(
        stack, state.x, state.latest, state.age, horizon_days, at_latest, at_once, in_30, in_60, in_90, in_horizon) as said;
end;

-- scores.predict_right of such a stack.
create function scores.predict_right_remembering(
    stack scores.member[], recalibrated boolean, d30 scores.curve, d60 scores.curve, d90 scores.curve,
    frequency float8, recency_days float8, age_days float8, horizon_days float8
) returns table (
    probability_alive float8, no_purchase_30d float8, no_purchase_60d float8, no_purchase_90d float8,
    no_purchase float8, silence_if_alive float8
)
language sql stable parallel safe rows 1
begin atomic
    select probability_alive, q30, least(q30, q60), least(q30, q60, q90),
           case when recalibrated
                then scores.within_days(horizon_days, p, p30, p60, p90, q30, least(q30, q60), least(q30, q60, q90))
                else p end,
           silence_if_alive
    from (
        select said.*,
               case when recalibrated then scores.set_right(p30, d30) else p30 end as q30,
               case when recalibrated then scores.set_right(p60, d60) else p60 end as q60,
               case when recalibrated then scores.set_right(p90, d90) else p90 end as q90
        from scores.predict_remembering(stack, frequency, recency_days, age_days, horizon_days) as said
    ) as each;
end;

create function scores.worth_remembering(stack scores.member[]) returns boolean
language sql immutable parallel safe
begin atomic
    select coalesce(bool_or(family in ('Pareto/NBD', 'Gamma-Gompertz/NBD')), false) from unnest(stack);
end;

-- As before; of the two parts of the union one has no row to begin with.
create or replace function scores.risk_at(moment timestamptz)
returns table (
    customer_id bigint, probability_alive float8, no_purchase_30d float8, no_purchase_60d float8, no_purchase_90d float8,
    inactive_30d boolean, inactive_60d boolean, inactive_90d boolean, days_since_purchase integer,
    usual_gap_days float8, overdue float8, silence_if_alive float8, as_of timestamptz, run_id bigint
)
language sql stable parallel safe rows 100000
begin atomic
    with run as materialized (
        select *, scores.worth_remembering(stack) as remember
        from scores.published_models where run_id = (select run_id from scores.in_force)
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
        run.stack, run.recalibrated, run.d30, run.d60, run.d90, c.frequency, c.recency_days, c.age_days, 30) as said
    where not run.remember
    union all
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
    cross join lateral scores.predict_right_remembering(
        run.stack, run.recalibrated, run.d30, run.d60, run.d90, c.frequency, c.recency_days, c.age_days, 30) as said
    where run.remember;
end;

create or replace function scores.no_purchase_at(horizon_days integer, moment timestamptz)
returns table (customer_id bigint, no_purchase float8, as_of timestamptz, run_id bigint)
language sql stable parallel safe rows 100000
begin atomic
    with run as materialized (
        select *, scores.worth_remembering(stack) as remember
        from scores.published_models where run_id = (select run_id from scores.in_force)
    )
    select c.customer_id, said.no_purchase, moment, run.run_id
    from run
    cross join scores.purchases_at(moment) as c
    cross join lateral scores.predict_right(
        run.stack, run.recalibrated, run.d30, run.d60, run.d90, c.frequency, c.recency_days, c.age_days, horizon_days) as said
    where not run.remember
    union all
    select c.customer_id, said.no_purchase, moment, run.run_id
    from run
    cross join scores.purchases_at(moment) as c
    cross join lateral scores.predict_right_remembering(
        run.stack, run.recalibrated, run.d30, run.d60, run.d90, c.frequency, c.recency_days, c.age_days, horizon_days) as said
    where run.remember;
end;
