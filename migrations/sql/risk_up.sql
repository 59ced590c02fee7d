-- The risk of every customer at any moment, in closed form: docs/models/risk_now.md has formulas, reasons and figures.
-- All of it anew, in place of risk_now_up.sql and leaving_up.sql.

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

-- A model of the stack with its parameters as columns; `days` of its time unit. Weights sum to 1.
create type scores.member as (
    number integer, weight float8, days float8, family text, r float8, alpha float8, a float8, b float8, s float8,
    beta float8
);

-- At most four: scores.predict writes them out.
alter table scores.purchase_models add constraint at_most_four check (member < 4);

create function scores.stack_of(run bigint) returns scores.member[]
language sql stable parallel safe
begin atomic
    select array_agg(row(
        member, weight / total, case time_unit when 'day' then 1 when 'week' then 7 else 30.4375 end, family,
        parameters ->> 'r', parameters ->> 'alpha', parameters ->> 'a', parameters ->> 'b', parameters ->> 's',
        parameters ->> 'beta')::scores.member order by member)
    from (select *, sum(weight) over () as total from scores.purchase_models where run_id = run) as weighed;
end;

-- Beyond e^-745 and e^709 Postgres raises an error, and so does a product that ends there; a probability is 0 or 1 long
-- before.
create function scores.bounded_exp(power float8) returns float8
language sql immutable parallel safe
return exp(greatest(-600, least(power, 600)));

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
-- customers that outlives the time d, of E[exp(-lambda d)]. What all nodes share is worked out before: `g` is
-- 1 + (beta - 1) e^(-b age), `scale` b (alpha + age). Beyond e^600 the logarithm of a sum is that of its larger part.
create function scores.leaves_first_integral(k float8, s float8, g float8, scale float8) returns float8
language sql stable strict parallel safe
begin atomic
    select sum(weight * exp(greatest(-600, -k * ln(1 + (
        ln(1 + g * (exp(least(minus_log_w / s, 600)) - 1)) + greatest(minus_log_w / s - 600, 0)) / scale))))
    from scores.quadrature;
end;

create function scores.leaves_first_gompertz(k float8, alpha float8, b float8, s float8, beta float8, age float8)
returns float8
language sql stable strict parallel safe
return scores.leaves_first_integral(k, s, 1 + (beta - 1) * scores.bounded_exp(-b * age), b * (alpha + age));

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

-- leaves_first of the members of the run in force as polynomials of the age, by the scorer, for the frequencies that
-- there are (retentioncast/models/btyd/leaving_curves.py): between breaks i and i + 1 (in the member's unit) of degree 9
-- in u, which goes from -1 to 1 there, 10 coefficients a piece from the power 0 on. Their error is below 2e-11 of the
-- value. Where there is no curve, the formula is asked: the same, but slower.
create table scores.leaving_curves (
    run_id       bigint not null references scores.model_runs,
    member       integer not null check (member >= 0),
    frequency    integer not null check (frequency >= 0),
    breaks       float8[] not null,
    coefficients float8[] not null check (cardinality(coefficients) = 10 * (cardinality(breaks) - 1)),
    primary key (run_id, member, frequency)
);

-- Where an age lies in its piece, -1 to 1; null beyond the breaks.
create function scores.within_piece(breaks float8[], piece integer, age float8) returns float8
language sql immutable parallel safe
return case when piece between 1 and cardinality(breaks) - 1
            then (2 * age - breaks[piece] - breaks[piece + 1]) / (breaks[piece + 1] - breaks[piece]) end;

-- The polynomial of that piece.
create function scores.on_piece(c float8[], piece integer, u float8) returns float8
language sql immutable parallel safe
return c[10 * piece - 9] + u * (c[10 * piece - 8] + u * (c[10 * piece - 7] + u * (c[10 * piece - 6]
    + u * (c[10 * piece - 5] + u * (c[10 * piece - 4] + u * (c[10 * piece - 3] + u * (c[10 * piece - 2]
    + u * (c[10 * piece - 1] + u * c[10 * piece]))))))));

-- What age adds to minus the log of `waits`, but for a constant: waits(age, t) = exp(waited(age) - waited(age + t)).
create function scores.waited(family text, b float8, s float8, beta float8, rate float8, age float8) returns float8
language sql immutable parallel safe
return rate + case family
    when 'Pareto/NBD' then s * ln(beta + age)
    when 'Gamma-Gompertz/NBD' then s * (b * age + ln(1 + (beta - 1) * scores.bounded_exp(-b * age)))
    else 0
end;

-- Of each member of a stack, in its order, what purchases and age alone decide; the planner writes this function into
-- the query and remembers its answers (Memoize), which many customers share. `now`: P(leaves before the next purchase |
-- alive); `rate`: (r + x) log(alpha + age); `waited` as above; `buys`: weight P(buys within so many days | alive).
-- `offset 0` keeps the planner from writing an expression out wherever it is used.
create function scores.from_now(
    stack scores.member[], run bigint, frequency float8, age_days float8, days_1 float8, days_2 float8, days_3 float8
) returns table (
    weights float8[], now float8[], rate float8[], waited float8[], buys_1 float8[], buys_2 float8[], buys_3 float8[]
)
language sql stable parallel safe rows 1
begin atomic
    select array_agg(weight), array_agg(l0), array_agg(rate), array_agg(scores.waited(family, b, s, beta, rate, age)),
           array_agg(weight * (1 - l0 - scores.waits(family, r, alpha, b, s, beta, x, age, t1) * (1 - l1))),
           array_agg(weight * (1 - l0 - scores.waits(family, r, alpha, b, s, beta, x, age, t2) * (1 - l2))),
           array_agg(weight * (1 - l0 - scores.waits(family, r, alpha, b, s, beta, x, age, t3) * (1 - l3)))
    from (
        select *, (r + x) * ln(alpha + age) as rate,
               case when u0 is null then scores.leaves_first(family, r, alpha, b, s, beta, x, age)
                    else scores.on_piece(coefficients, p0, u0) end as l0,
               case when u1 is null then scores.leaves_first(family, r, alpha, b, s, beta, x, age + t1)
                    else scores.on_piece(coefficients, p1, u1) end as l1,
               case when u2 is null then scores.leaves_first(family, r, alpha, b, s, beta, x, age + t2)
                    else scores.on_piece(coefficients, p2, u2) end as l2,
               case when u3 is null then scores.leaves_first(family, r, alpha, b, s, beta, x, age + t3)
                    else scores.on_piece(coefficients, p3, u3) end as l3
        from (
            select *, scores.within_piece(breaks, p0, age) as u0, scores.within_piece(breaks, p1, age + t1) as u1,
                   scores.within_piece(breaks, p2, age + t2) as u2, scores.within_piece(breaks, p3, age + t3) as u3
            from (
                select *, width_bucket(age, breaks) as p0, width_bucket(age + t1, breaks) as p1,
                       width_bucket(age + t2, breaks) as p2, width_bucket(age + t3, breaks) as p3
                from (
                    select m.*, breaks, coefficients, frequency as x, age_days / days as age, days_1 / days as t1,
                           days_2 / days as t2, days_3 / days as t3
                    from unnest(stack) as m
                    left join lateral (
                        select breaks, coefficients from scores.leaving_curves as c
                        where c.run_id = run and c.member = m.number and c.frequency = from_now.frequency::integer
                          and m.family in ('Pareto/NBD', 'Gamma-Gompertz/NBD')
                        offset 0
                    ) as curve on true
                    where frequency is not null
                    offset 0
                ) as timed
                offset 0
            ) as placed
            offset 0
        ) as within
        offset 0
    ) as leaving;
end;

-- The same of the time of the latest purchase. `left_since`: odds of having left right after it (BG/NBD, MBG/NBD:
-- Fader, Hardie & Lee 2008, eq. 5; Batislam, Denizel & Filiztekin 2007), or P(leaves before the next purchase) then.
create function scores.since_latest(stack scores.member[], run bigint, frequency float8, recency_days float8)
returns table (left_since float8[], rate float8[], waited float8[])
language sql stable parallel safe rows 1
begin atomic
    select array_agg(case family
               when 'BG/NBD' then case when x = 0 then 0 else a / (b + x - 1) end
               when 'MBG/NBD' then a / (b + x)
               else case when u is null then scores.leaves_first(family, r, alpha, b, s, beta, x, t_x)
                         else scores.on_piece(coefficients, piece, u) end
           end),
           array_agg(rate), array_agg(scores.waited(family, b, s, beta, rate, t_x))
    from (
        select *, (r + x) * ln(alpha + t_x) as rate, scores.within_piece(breaks, piece, t_x) as u
        from (
            select *, width_bucket(t_x, breaks) as piece
            from (
                select m.*, breaks, coefficients, frequency as x, recency_days / days as t_x
                from unnest(stack) as m
                left join lateral (
                    select breaks, coefficients from scores.leaving_curves as c
                    where c.run_id = run and c.member = m.number and c.frequency = since_latest.frequency::integer
                      and m.family in ('Pareto/NBD', 'Gamma-Gompertz/NBD')
                    offset 0
                ) as curve on true
                where frequency is not null
                offset 0
            ) as timed
            offset 0
        ) as placed
        offset 0
    ) as within;
end;

-- P(alive) by member i: who is not has left since the latest purchase, and has not been missed yet.
create function scores.alive(left_since float8[], waited_then float8[], waited_now float8[], now float8[], i integer)
returns float8
language sql immutable parallel safe
return 1 / (1 + greatest(0, left_since[i] * scores.bounded_exp(waited_now[i] - waited_then[i]) - now[i]));

-- What a stack says of a customer, its members' probabilities mixed by weight: P(alive), P(no purchase) within three
-- numbers of days (null: not asked for), P(such a silence since the latest purchase | alive); before recalibration. The
-- curves are those of `run`. `whose` tells customers apart: what it stands in is not worth remembering, and the planner
-- sees that. The state is named first: what is remembered goes by its columns.
create function scores.predict(
    whose bigint, stack scores.member[], run bigint, frequency float8, recency_days float8, age_days float8,
    days_1 float8, days_2 float8, days_3 float8
) returns table (probability_alive float8, p1 float8, p2 float8, p3 float8, silence_if_alive float8)
language sql stable parallel safe rows 1
begin atomic
    select a1 * weights[1] + coalesce(a2 * weights[2] + coalesce(a3 * weights[3] + coalesce(a4 * weights[4], 0), 0), 0),
           1 - a1 * buys_1[1]
             - coalesce(a2 * buys_1[2] + coalesce(a3 * buys_1[3] + coalesce(a4 * buys_1[4], 0), 0), 0),
           1 - a1 * buys_2[1]
             - coalesce(a2 * buys_2[2] + coalesce(a3 * buys_2[3] + coalesce(a4 * buys_2[4], 0), 0), 0),
           1 - a1 * buys_3[1]
             - coalesce(a2 * buys_3[2] + coalesce(a3 * buys_3[3] + coalesce(a4 * buys_3[4], 0), 0), 0),
           s1 * weights[1] + coalesce(s2 * weights[2] + coalesce(s3 * weights[3] + coalesce(s4 * weights[4], 0), 0), 0)
    from (
        select frequency as x, recency_days as t_x, age_days as age offset nullif(whose, whose)
    ) as state
    cross join lateral scores.from_now(stack, run, state.x, state.age, days_1, days_2, days_3) as now
    cross join lateral scores.since_latest(stack, run, state.x, state.t_x) as latest
    cross join lateral (
        select scores.alive(left_since, latest.waited, now.waited, now.now, 1) as a1,
               case when n > 1 then scores.alive(left_since, latest.waited, now.waited, now.now, 2) end as a2,
               case when n > 2 then scores.alive(left_since, latest.waited, now.waited, now.now, 3) end as a3,
               case when n > 3 then scores.alive(left_since, latest.waited, now.waited, now.now, 4) end as a4,
               scores.bounded_exp(latest.rate[1] - now.rate[1]) as s1,
               case when n > 1 then scores.bounded_exp(latest.rate[2] - now.rate[2]) end as s2,
               case when n > 2 then scores.bounded_exp(latest.rate[3] - now.rate[3]) end as s3,
               case when n > 3 then scores.bounded_exp(latest.rate[4] - now.rate[4]) end as s4
        from (select cardinality(weights) as n) as counted
        offset nullif(whose, whose)
    ) as members;
end;

-- How a run sets P(no purchase within any number of days) right; without a row: not at all.
create type scores.curve as (method text, a float8, b float8, c float8, x float8[], y float8[]);

create function scores.curve_of(run bigint) returns scores.curve
language sql stable parallel safe
begin atomic
    select row(method, parameters ->> 'a', parameters ->> 'b', parameters ->> 'c',
               array(select value::float8 from jsonb_array_elements_text(parameters -> 'x') with ordinality order by ordinality),
               array(select value::float8 from jsonb_array_elements_text(parameters -> 'y') with ordinality order by ordinality)
           )::scores.curve
    from scores.recalibrations where run_id = run;
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

-- What each published run predicts with.
create view scores.published_models as
select run_id, as_of, started_at, scores.stack_of(run_id) as stack, scores.curve_of(run_id) as curve
from scores.model_runs
where status = 'published' and kind = 'scores';

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
        select *, curve is not null as recalibrated
        from scores.published_models where run_id = (select run_id from scores.in_force)
    )
    select c.customer_id, said.probability_alive,
           case when recalibrated then scores.set_right(said.p1, curve) else said.p1 end,
           case when recalibrated then scores.set_right(said.p2, curve) else said.p2 end,
           case when recalibrated then scores.set_right(said.p3, curve) else said.p3 end,
           c.latest_order < moment - interval '30 days',
           c.latest_order < moment - interval '60 days',
           c.latest_order < moment - interval '90 days',
           (c.age_days - c.recency_days)::integer,
           c.recency_days / nullif(c.frequency, 0),
           (c.age_days - c.recency_days) * c.frequency / nullif(c.recency_days, 0),
           said.silence_if_alive, moment, run.run_id
    from run
    cross join scores.purchases_at(moment) as c
    cross join lateral scores.predict(
        c.customer_id, run.stack, run.run_id, c.frequency, c.recency_days, c.age_days, 30, 60, 90) as said;
end;

-- P(no purchase within any number of days) of every customer as of any moment.
create function scores.no_purchase_at(horizon_days integer, moment timestamptz)
returns table (customer_id bigint, no_purchase float8, as_of timestamptz, run_id bigint)
language sql stable parallel safe rows 100000
begin atomic
    with run as materialized (
        select * from scores.published_models where run_id = (select run_id from scores.in_force)
    )
    select c.customer_id, scores.set_right(said.p1, run.curve), moment, run.run_id
    from run
    cross join scores.purchases_at(moment) as c
    cross join lateral scores.predict(
        c.customer_id, run.stack, run.run_id, c.frequency, c.recency_days, c.age_days, horizon_days, null, null) as said;
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

grant select, insert, update, delete on scores.customer_purchases, scores.leaving_curves to {prefix}_scorer;
grant select on scores.quadrature, scores.published_models, scores.risk_now to {prefix}_scorer;
grant select on scores.customer_purchases, scores.leaving_curves, scores.quadrature, scores.published_models,
    scores.risk_now to {prefix}_reader;
