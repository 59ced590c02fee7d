-- The risk of every customer at any moment, in closed form: docs/models/risk_now.md has formulas, reasons and figures.

-- Refunds by what they give back: one customer is looked up without reading the others' refunds.
create index transactions_refunds on analytics.transactions (refers_to) where refers_to is not null;

-- What repeat buying knows of a customer: on how many UTC days there was a purchase, and the first and latest of them.
-- Counted by the scorer for all whose transactions changed. Every such change writes the customer's row of
-- analytics.customer_totals anew, so a count is good as long as `totals` is that row's xmin; it tells of any time from
-- `known_to` on, the time of the latest transaction.
create table scores.customer_purchases (
    customer_id   bigint primary key,
    purchase_days integer not null,
    first_day     date,
    latest_day    date,
    latest_order  timestamptz,
    known_to      timestamptz,
    totals        xid not null
);

-- One customer's purchases up to a time, counted in the mirror as the scorer counts them (scorer/sql/snapshot.sql).
create function scores.purchases_of(customer bigint, until timestamptz)
returns table (purchase_days integer, first_day date, latest_day date, latest_order timestamptz, known_to timestamptz)
language sql stable parallel safe rows 1
begin atomic
    select count(distinct day)::integer, min(day), max(day), max(ordered_at), max(greatest(occurred_at, refunded_at))
    from (
        select t.occurred_at,
               back.refunded_at,
               case when analytics.is_order(t.kind, t.amount, coalesce(back.amount, 0), t.deleted)
                    then t.occurred_at end as ordered_at,
               case when t.kind = 'purchase' and analytics.is_order(t.kind, t.amount, coalesce(back.amount, 0), t.deleted)
                    then (t.occurred_at at time zone 'UTC')::date end as day
        from analytics.transactions as t
        cross join lateral (
            select sum(r.amount) as amount, max(r.occurred_at) as refunded_at
            from analytics.transactions as r
            where t.refunded <> 0 and r.refers_to = t.transaction_id and r.kind = 'refund' and not r.deleted
              and r.occurred_at <= until
        ) as back
        where t.customer_id = customer and not t.deleted and t.occurred_at <= until
    ) as found;
end;

-- Everybody's purchases up to a time: from the counts where they are good, else from the mirror. Days are UTC days.
create function scores.purchases_at(until timestamptz)
returns table (customer_id bigint, frequency float8, recency_days float8, age_days float8, latest_order timestamptz)
language sql stable parallel safe rows 100000
begin atomic
    select t.customer_id,
           (nullif(coalesce(kept.purchase_days, counted.purchase_days), 0) - 1)::float8,
           (coalesce(kept.latest_day, counted.latest_day) - coalesce(kept.first_day, counted.first_day))::float8,
           ((until at time zone 'UTC')::date - coalesce(kept.first_day, counted.first_day))::float8,
           coalesce(kept.latest_order, counted.latest_order)
    from analytics.customer_totals as t
    left join scores.customer_purchases as kept
        on kept.customer_id = t.customer_id and kept.totals = t.xmin and kept.known_to <= until
    left join lateral (
        -- `offset 0` keeps the condition in here, where it is looked at before the mirror is.
        select counted.* from scores.purchases_of(t.customer_id, until) as counted where kept.customer_id is null offset 0
    ) as counted on true
    where coalesce(kept.latest_order, counted.latest_order) is not null;
end;

-- A model of the stack with its parameters as columns; `days` of its time unit.
create type scores.member as (
    weight float8, days float8, family text, r float8, alpha float8, a float8, b float8, s float8, beta float8
);

create function scores.stack_of(run bigint) returns scores.member[]
language sql stable parallel safe
begin atomic
    select array_agg(row(
        weight, case time_unit when 'day' then 1 when 'week' then 7 else 30.4375 end, family,
        parameters ->> 'r', parameters ->> 'alpha', parameters ->> 'a', parameters ->> 'b', parameters ->> 's',
        parameters ->> 'beta')::scores.member)
    from scores.purchase_models where run_id = run;
end;

-- Beyond e^-745 and e^709 Postgres raises an error, and so does a product that ends there; a probability is 0 or 1 long
-- before.
create function scores.bounded_exp(power float8) returns float8
language sql immutable parallel safe
return exp(greatest(-600, least(power, 600)));

-- E[exp(-lambda t)] over what is known of the rate of a customer who is alive, lambda ~ Gamma(r + x, alpha + age).
create function scores.silent_while_alive(r float8, alpha float8, x float8, age float8, t float8) returns float8
language sql immutable parallel safe
return scores.bounded_exp(-(r + x) * ln(1 + t / (alpha + age)));

-- BG/NBD, P(alive): Fader, Hardie & Lee (2008), eq. 5; one-time buyers had no purchase to leave after.
create function scores.alive_bg_nbd(r float8, alpha float8, a float8, b float8, x float8, t_x float8, age float8)
returns float8
language sql immutable parallel safe
return case when x = 0 then 1
            else 1 / (1 + scores.bounded_exp(ln(a / (b + x - 1)) + (r + x) * ln((alpha + age) / (alpha + t_x)))) end;

-- MBG/NBD, P(alive): Batislam, Denizel & Filiztekin (2007); a customer may leave after the first purchase too.
create function scores.alive_mbg_nbd(r float8, alpha float8, a float8, b float8, x float8, t_x float8, age float8)
returns float8
language sql immutable parallel safe
return 1 / (1 + scores.bounded_exp(ln(a / (b + x)) + (r + x) * ln((alpha + age) / (alpha + t_x))));

-- Pareto/NBD, log of P(still there at age + t | there at age).
create function scores.log_stays_pareto(s float8, beta float8, age float8, t float8) returns float8
language sql immutable parallel safe
return -s * ln(1 + t / (beta + age));

-- Pareto/NBD, P(leaves before the next purchase | there at age) = s / (k + s) 2F1(k, 1; k + s + 1; z) with k = r + x and
-- z = (alpha - beta) / (alpha + age), by Gauss's continued fraction (Cuyt et al. 2008, 15.3.7), from its end: each step
-- leaves the same share of the error, whatever z < 1 is.
create function scores.leaves_first_pareto(k float8, alpha float8, s float8, beta float8, age float8) returns float8
language plpgsql immutable strict parallel safe
as $$
declare
    z float8 := (alpha - beta) / (alpha + age);
    root float8 := sqrt((beta + age) / (alpha + age));
    c float8 := k + s + 1;
    f float8 := 1;
begin
    for j in reverse 3 + ceil(-17 / ln(abs(1 - root) / (1 + root) + 1e-30))::integer .. 1 loop
        f := 1 - z * (k + j - 1) * (c + j - 2) / ((c + 2 * j - 3) * (c + 2 * j - 2))
                 / (1 - z * j * (s + j) / ((c + 2 * j - 2) * (c + 2 * j - 1)) / f);
    end loop;
    return s / ((k + s) * f);
end $$;

-- Gamma-Gompertz/NBD (Bemmaor & Glady 2012), log of P(still there at age + t | there at age) = -s (b t + log(G(age + t) / G(age)))
-- with G(age) = 1 + (beta - 1) e^(-b age).
create function scores.log_stays_gompertz(b float8, s float8, beta float8, age float8, t float8) returns float8
language sql immutable parallel safe
return -s * (b * t + ln((1 + (beta - 1) * scores.bounded_exp(-b * (age + t)))
                        / (1 + (beta - 1) * scores.bounded_exp(-b * age))));

-- Nodes of a tanh-sinh rule on (0, 1), made for integrands with any behaviour at the ends: w = 1 / (1 + e^(pi sinh u)).
create table scores.quadrature (minus_log_w float8 not null, weight float8 not null);
insert into scores.quadrature
select ln(1 + exp(pi() * sinh(u))), pi() / 16 * cosh(u) / ((1 + exp(pi() * sinh(u))) * (1 + exp(-pi() * sinh(u))))
from (select i / 16.0::float8 as u from generate_series(-48, 48) as i) as steps;

-- Gamma-Gompertz/NBD, P(leaves before the next purchase | there at age): the integral over w in (0, 1), the share of
-- customers that outlives the time d, of E[exp(-lambda d)].
create function scores.leaves_first_gompertz(k float8, alpha float8, b float8, s float8, beta float8, age float8)
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

create function scores.refuse_family(family text) returns float8
language plpgsql immutable parallel safe
as $$ begin raise exception 'scores has no formula for a % model; run `retentioncast migrate`', family; end $$;

-- P(leaves before the next purchase | alive at age) under a model of any family; times in its unit.
create function scores.leaves_first(
    family text, r float8, alpha float8, b float8, s float8, beta float8, x float8, age float8
) returns float8
language sql stable parallel safe
return case family
    when 'BG/NBD' then 0
    when 'MBG/NBD' then 0
    when 'Pareto/NBD' then scores.leaves_first_pareto(r + x, alpha, s, beta, age)
    when 'Gamma-Gompertz/NBD' then scores.leaves_first_gompertz(r + x, alpha, b, s, beta, age)
    else scores.refuse_family(family)
end;

-- P(neither a purchase nor leaving within t | alive at age).
create function scores.waits(
    family text, r float8, alpha float8, b float8, s float8, beta float8, x float8, age float8, t float8
) returns float8
language sql immutable parallel safe
return scores.bounded_exp(-(r + x) * ln(1 + t / (alpha + age)) + case family
    when 'Pareto/NBD' then scores.log_stays_pareto(s, beta, age, t)
    when 'Gamma-Gompertz/NBD' then scores.log_stays_gompertz(b, s, beta, age, t)
    else 0
end);

-- P(alive at age) after a latest purchase at t_x. Who leaves at a time of his own has waited until now, or left first.
create function scores.alive(
    family text, r float8, alpha float8, a float8, b float8, s float8, beta float8, x float8, t_x float8, age float8,
    leaves_now float8
) returns float8
language sql stable parallel safe
return case family
    when 'BG/NBD' then scores.alive_bg_nbd(r, alpha, a, b, x, t_x, age)
    when 'MBG/NBD' then scores.alive_mbg_nbd(r, alpha, a, b, x, t_x, age)
    else 1 / (1 + greatest(0, scores.leaves_first(family, r, alpha, b, s, beta, x, t_x)
                              / scores.waits(family, r, alpha, b, s, beta, x, t_x, age - t_x) - leaves_now))
end;

-- P(no purchase within t) of a customer who is alive at age with this probability.
create function scores.silent(
    family text, r float8, alpha float8, b float8, s float8, beta float8, x float8, age float8, alive float8,
    leaves_now float8, t float8
) returns float8
language sql stable parallel safe
return 1 - alive * (1 - leaves_now - scores.waits(family, r, alpha, b, s, beta, x, age, t)
                                     * (1 - scores.leaves_first(family, r, alpha, b, s, beta, x, age + t)));

-- What a stack says of a customer, its members' probabilities mixed by weight: P(alive), P(no purchase) within 30, 60,
-- 90 and any number of days, and P(such a silence since the latest purchase | alive); before any recalibration.
-- `offset 0` keeps the planner from writing an expression out wherever it is used.
create function scores.predict(
    stack scores.member[], frequency float8, recency_days float8, age_days float8, horizon_days float8,
    out probability_alive float8, out p30 float8, out p60 float8, out p90 float8, out p float8,
    out silence_if_alive float8
) returns setof record
language sql stable parallel safe rows 1
begin atomic
    select sum(weight * alive) / sum(weight),
           sum(weight * scores.silent(family, r, alpha, b, s, beta, x, age, alive, leaves_now, 30 / days)) / sum(weight),
           sum(weight * scores.silent(family, r, alpha, b, s, beta, x, age, alive, leaves_now, 60 / days)) / sum(weight),
           sum(weight * scores.silent(family, r, alpha, b, s, beta, x, age, alive, leaves_now, 90 / days)) / sum(weight),
           sum(weight * scores.silent(family, r, alpha, b, s, beta, x, age, alive, leaves_now, horizon_days / days))
               / sum(weight),
           sum(weight * scores.silent_while_alive(r, alpha, x, t_x, age - t_x)) / sum(weight)
    from (
        select *, scores.alive(family, r, alpha, a, b, s, beta, x, t_x, age, leaves_now) as alive
        from (
            select *, scores.leaves_first(family, r, alpha, b, s, beta, x, age) as leaves_now
            from (
                select *, frequency as x, recency_days / days as t_x, age_days / days as age
                from unnest(stack)
                where frequency is not null
                offset 0
            ) as timed
            offset 0
        ) as leaving
        offset 0
    ) as member;
end;

-- How a run sets P(no purchase within so many days) right; without a row: not at all.
create type scores.curve as (method text, a float8, b float8, c float8, x float8[], y float8[]);

create function scores.curve_of(run bigint, days integer) returns scores.curve
language sql stable parallel safe
begin atomic
    select row(method, parameters ->> 'a', parameters ->> 'b', parameters ->> 'c',
               array(select value::float8 from jsonb_array_elements_text(parameters -> 'x') with ordinality order by ordinality),
               array(select value::float8 from jsonb_array_elements_text(parameters -> 'y') with ordinality order by ordinality)
           )::scores.curve
    from scores.recalibrations where run_id = run and horizon_days = days;
end;

-- On the straight line from point i, the last at or before p, to the next.
create function scores.on_line(p float8, x float8[], y float8[], i integer) returns float8
language sql immutable parallel safe
return case when i < 1 then y[1]
            when i >= cardinality(x) then y[cardinality(y)]
            else y[i] + (y[i + 1] - y[i]) * (p - x[i]) / (x[i + 1] - x[i]) end;

-- What a curve makes of p: logit(p') = a ln p - b ln(1 - p) + c, or the line between points; certainty stays.
create function scores.set_right(p float8, curve scores.curve) returns float8
language sql immutable parallel safe
return case
    when (curve).method is null then p
    when (curve).method = 'isotonic' then scores.on_line(p, (curve).x, (curve).y, width_bucket(p, (curve).x))
    when p <= 0 or p >= 1 then p
    else 1 / (1 + scores.bounded_exp((curve).b * ln(1 - greatest(1e-9, least(p, 1 - 1e-9)))
                                     - (curve).a * ln(greatest(1e-9, least(p, 1 - 1e-9))) - (curve).c))
end;

-- From p0 to p1, as far as p has come: q0 to q1. Falls with p.
create function scores.between(p float8, p0 float8, p1 float8, q0 float8, q1 float8) returns float8
language sql immutable parallel safe
return case when p0 > p1 then q0 + (q1 - q0) * greatest(0, least(1, (p0 - p) / (p0 - p1))) else q0 end;

-- P(no purchase within `days`) set right, from what 30, 60 and 90 days were (p) and became (q): between two of them (and
-- between 0 days, where it is 1, and 30) it has come as far from one to the other as the models say, and beyond 90 days
-- it keeps its ratio. So it never rises with the days, and is exact at each of the three.
create function scores.within_days(
    days float8, p float8, p30 float8, p60 float8, p90 float8, q30 float8, q60 float8, q90 float8
) returns float8
language sql immutable parallel safe
return case
    when days <= 30 then scores.between(p, 1, p30, 1, q30)
    when days <= 60 then scores.between(p, p30, p60, q30, q60)
    when days <= 90 then scores.between(p, p60, p90, q60, q90)
    when p90 > 0 then q90 * (p / p90)
    else q90
end;

-- A run's predictions of one customer, set right where it says so; `no_purchase` is for `horizon_days`.
create function scores.predict_right(
    stack scores.member[], recalibrated boolean, d30 scores.curve, d60 scores.curve, d90 scores.curve,
    frequency float8, recency_days float8, age_days float8, horizon_days float8,
    out probability_alive float8, out no_purchase_30d float8, out no_purchase_60d float8, out no_purchase_90d float8,
    out no_purchase float8, out silence_if_alive float8
) returns setof record
language sql stable parallel safe rows 1
begin atomic
    select probability_alive, q30, least(q30, q60), least(q30, q60, q90),
           case when recalibrated
                then scores.within_days(horizon_days, p, p30, p60, p90, q30, least(q30, q60), least(q30, q60, q90))
                else p end,
           silence_if_alive
    from (
        select *,
               case when recalibrated then scores.set_right(p30, d30) else p30 end as q30,
               case when recalibrated then scores.set_right(p60, d60) else p60 end as q60,
               case when recalibrated then scores.set_right(p90, d90) else p90 end as q90
        from scores.predict(stack, frequency, recency_days, age_days, horizon_days)
        offset 0
    ) as each;
end;

-- What each published run predicts with.
create view scores.published_models as
select run_id, as_of, started_at, scores.stack_of(run_id) as stack,
       exists (select from scores.recalibrations as r where r.run_id = model_runs.run_id) as recalibrated,
       scores.curve_of(run_id, 30) as d30, scores.curve_of(run_id, 60) as d60, scores.curve_of(run_id, 90) as d90
from scores.model_runs
where status = 'published';

-- The risk of every customer with an order as of any moment, by the run in force.
create function scores.risk_at(moment timestamptz)
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
create function scores.no_purchase_at(horizon_days integer, moment timestamptz)
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

-- The same of one customer; without a moment, as of the stream's clock.
create function scores.no_purchase(customer bigint, horizon_days integer, moment timestamptz default null) returns float8
language sql stable parallel safe
begin atomic
    select said.no_purchase
    from analytics.stream_clock as clock
    cross join lateral scores.no_purchase_at(horizon_days, coalesce(moment, clock.stream_time)) as said
    where said.customer_id = customer;
end;

-- As of now, which is the latest event time of the stream.
create view scores.risk_now as
select risk.* from analytics.stream_clock cross join lateral scores.risk_at(stream_time) as risk;

grant select, insert, update, delete on scores.customer_purchases to {prefix}_scorer;
grant select on scores.quadrature, scores.published_models, scores.risk_now to {prefix}_scorer;
grant select on scores.customer_purchases, scores.quadrature, scores.published_models, scores.risk_now to {prefix}_reader;
