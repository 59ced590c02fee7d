-- How long subscriptions last, as of any time: what happened later does not count yet, and a subscription cancelled
-- later goes on. What the mirror cannot tell is what a row was before it was corrected or deleted.

-- Whole months from one time to another, by the calendar in UTC: 0 until the same day and time of the next month (or
-- its last day, where it has no such day).
create function scores.full_months(since timestamptz, until timestamptz) returns integer
language plpgsql immutable parallel safe
as $$
declare
    a constant timestamp := since at time zone 'UTC';
    b constant timestamp := until at time zone 'UTC';
    months constant integer := 12 * (date_part('year', b) - date_part('year', a))
                               + date_part('month', b) - date_part('month', a);
begin
    return months - (a + make_interval(months => months) > b)::integer;
end $$;

-- Subscriptions that had begun; `cancelled_at` only where it had happened.
create function scores.subscriptions_as_of(as_of timestamptz)
returns table (subscription_id bigint, customer_id bigint, plan text, started_at timestamptz, cancelled_at timestamptz)
language sql stable parallel safe
begin atomic
    select s.subscription_id, s.customer_id, s.plan, s.started_at,
           case when s.cancelled_at <= as_of then s.cancelled_at end
    from analytics.subscriptions as s
    where not s.deleted and s.started_at <= as_of;
end;

-- Kaplan-Meier by 'plan', 'channel' (of the customer), 'cohort' (the month of the start, UTC) or 'all', as of the
-- stream's time unless told. A row for day 0 and for each day on which a subscription was cancelled or last seen; days
-- are whole days, as the scorer counts them. At a tie, who is cancelled was at risk together with who is last seen.
-- `std_error` is Greenwood's. `low`, `high`: exponential Greenwood (normal on log(-log S)), which lifelines and R's
-- conf.type = "log-log" give; `plain_low`, `plain_high`: S -+ z std_error, cut to [0, 1]. z = 1.96 makes them 95 %.
create function scores.survival_curve(
    "by" text default 'all', as_of timestamptz default null, z double precision default 1.959963984540054
)
returns table (
    label text, day integer, at_risk bigint, cancelled bigint, censored bigint, survival double precision,
    std_error double precision, low double precision, high double precision,
    plain_low double precision, plain_high double precision
)
language plpgsql stable parallel safe
as $$
#variable_conflict use_column
begin
    if "by" is null or "by" not in ('all', 'plan', 'channel', 'cohort') then
        raise exception 'There is no survival curve by %.', coalesce("by", 'null')
            using errcode = 'invalid_parameter_value', hint = 'Choose all, plan, channel or cohort.';
    end if;
    as_of := coalesce(as_of, (select c.stream_time from analytics.stream_clock as c));
    return query
    with lives as (
        select case "by" when 'all' then 'all'
                         when 'plan' then coalesce(s.plan, 'unknown')
                         when 'cohort' then to_char(s.started_at at time zone 'UTC', 'YYYY-MM')
                         else coalesce((select c.channel from analytics.customers as c
                                        where c.customer_id = s.customer_id and not c.deleted), 'unknown') end as label,
               floor(extract(epoch from coalesce(s.cancelled_at, as_of) - s.started_at) / 86400)::int as day,
               s.cancelled_at is not null as ended
        from scores.subscriptions_as_of(as_of) as s
    ),
    counted as (
        select l.label, l.day, count(*) filter (where l.ended) as d, count(*) filter (where not l.ended) as c
        from lives as l
        group by 1, 2
    ),
    steps as (
        select k.label, k.day, sum(k.d)::bigint as d, sum(k.c)::bigint as c
        from (select * from counted union all select distinct n.label, 0, 0, 0 from counted as n) as k
        group by 1, 2
    ),
    at_risk as (
        select t.*, sum(t.d + t.c) over (partition by t.label order by t.day desc)::bigint as n from steps as t
    ),
    -- A day on which all who were left cancelled is the last one: S is 0 there, and the sums leave it out.
    sums as (
        select r.*,
               coalesce(sum(case when r.d < r.n then ln((r.n - r.d)::float8 / r.n) end) over before, 0) as log_s,
               coalesce(sum(case when r.d < r.n then r.d / (r.n * (r.n - r.d)::float8) end) over before, 0) as v
        from at_risk as r
        window before as (partition by r.label order by r.day)
    ),
    curve as (select q.*, case when q.d = q.n then 0 else exp(q.log_s) end as s from sums as q)
    -- exp below -745 is an error in Postgres, not 0.
    select u.label, u.day, u.n, u.d, u.c, u.s, u.s * sqrt(u.v),
           case when u.s = 0 then 0 when u.log_s = 0 then 1
                else exp(greatest(u.log_s * exp(-z * sqrt(u.v) / u.log_s), -700)) end,
           case when u.s = 0 then 0 when u.log_s = 0 then 1
                else exp(u.log_s * exp(z * sqrt(u.v) / u.log_s)) end,
           greatest(u.s - z * u.s * sqrt(u.v), 0), least(u.s + z * u.s * sqrt(u.v), 1)
    from curve as u
    order by u.label, u.day;
end $$;

create view scores.survival as select * from scores.survival_curve('all');
create view scores.survival_by_plan as select * from scores.survival_curve('plan');
create view scores.survival_by_channel as select * from scores.survival_curve('channel');
create view scores.survival_by_cohort as select * from scores.survival_curve('cohort');

-- The cells of the retention triangle that all of a cohort have lived to see: how many of those who began in a month
-- (UTC) were still subscribed 0, 1, ... months after their start. `rate` is the share of the cohort.
create function scores.retention_observed(as_of timestamptz default null)
returns table (
    cohort date, month integer, size bigint, at_risk bigint, retained bigint, rate double precision
)
language sql stable parallel safe
begin atomic
    with moment as materialized (select coalesce(as_of, (select c.stream_time from analytics.stream_clock as c)) as at),
    lived as (
        select date_trunc('month', s.started_at at time zone 'UTC') as cohort,
               scores.full_months(s.started_at, coalesce(s.cancelled_at, moment.at)) as months
        from moment cross join lateral scores.subscriptions_as_of(moment.at) as s
    ),
    counted as (select l.cohort, l.months, count(*) as n from lived as l group by 1, 2),
    cohorts as (
        select c.cohort, sum(c.n)::bigint as size,
               greatest(scores.full_months((c.cohort + interval '1 month') at time zone 'UTC', min(moment.at)), 0) as seen
        from counted as c cross join moment
        group by 1
    ),
    cells as (
        select h.cohort, m.month, h.size,
               h.size - coalesce(sum(c.n) over (partition by h.cohort order by m.month
                                                rows between unbounded preceding and 1 preceding), 0)::bigint as retained
        from cohorts as h
        cross join lateral generate_series(0, h.seen) as m (month)
        left join counted as c on c.cohort = h.cohort and c.months = m.month
    )
    select e.cohort::date, e.month, e.size,
           coalesce(lag(e.retained) over (partition by e.cohort order by e.month), e.size),
           e.retained, e.retained / e.size::float8
    from cells as e;
end;

-- The other cells, as the run in force forecasts them (scorer/retention.py): sBG over all cohorts. `at_risk` and
-- `retained` are means; low and high hold the number that will be retained in the share of cases that the settings say.
create table scores.retention_forecast (
    run_id        bigint not null references scores.model_runs,
    cohort        date not null,
    month         integer not null check (month > 0),
    size          bigint not null check (size > 0),
    at_risk       double precision not null check (at_risk >= 0),
    retained      double precision not null check (retained >= 0 and retained <= size),
    retained_low  double precision not null check (retained_low >= 0),
    retained_high double precision not null check (retained_high <= size),
    primary key (cohort, month)
);
create index retention_forecast_run on scores.retention_forecast (run_id);

-- The whole triangle: a cell that has been seen since the forecast is shown as it was seen.
create view scores.retention_triangle as
with observed as (select * from scores.retention_observed())
select cohort, month, size, at_risk::double precision, retained::double precision, rate,
       null::double precision as rate_low, null::double precision as rate_high,
       'observed'::text as kind, null::bigint as run_id
from observed
union all
select f.cohort, f.month, f.size, f.at_risk, f.retained, f.retained / f.size,
       f.retained_low / f.size, f.retained_high / f.size, 'forecast', f.run_id
from scores.retention_forecast as f
where not exists (select from observed as o where o.cohort = f.cohort and o.month = f.month);

grant select, insert, update, delete on scores.retention_forecast to {prefix}_scorer;
grant select on scores.retention_forecast, scores.retention_triangle, scores.survival, scores.survival_by_plan,
    scores.survival_by_channel, scores.survival_by_cohort to {prefix}_scorer, {prefix}_reader;
