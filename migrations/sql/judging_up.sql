-- How good each contender would have been: families, baselines, what was chosen ("chosen": refitted at each origin),
-- and with their final parameters the refit ("refit") and the run that was in force ("in force"). A row a window.
create table scores.backtests (
    run_id            bigint not null references scores.model_runs,
    origin            date not null,
    horizon_days      integer not null check (horizon_days > 0),
    contender         text not null,
    customers         bigint not null,
    log_score         double precision,
    brier             double precision,
    calibration_error double precision,
    rmse              double precision,
    bias              double precision,
    deviance          double precision,
    primary key (run_id, origin, horizon_days, contender)
);

-- P(no purchase) as it was published, kept until its horizon has passed and for half a year more; a sample of customers.
create table scores.predictions (
    run_id       bigint not null references scores.model_runs,
    horizon_days integer not null check (horizon_days > 0),
    customer_id  bigint not null,
    segment      text,
    probability  double precision not null check (probability between 0 and 1),
    -- Before recalibration: what a recalibration is fitted to.
    uncalibrated double precision not null check (uncalibrated between 0 and 1),
    as_of        timestamptz not null,
    -- Whether nothing was bought; null until the horizon has passed.
    happened     boolean,
    primary key (run_id, horizon_days, customer_id)
);
create index predictions_waiting on scores.predictions (as_of) where happened is null;

-- Predicted against happened, by tenths of the prediction: kept for good. Segment: a channel, or 'all'.
create table scores.calibration (
    run_id         bigint not null references scores.model_runs,
    horizon_days   integer not null check (horizon_days > 0),
    segment        text not null,
    decile         integer not null check (decile between 1 and 10),
    family         text not null,
    as_of          timestamptz not null,
    n              bigint not null check (n > 0),
    mean_predicted double precision not null,
    happened       bigint not null,
    happened_low   double precision not null,
    happened_high  double precision not null,
    primary key (run_id, horizon_days, segment, decile)
);

grant select, insert, update, delete on scores.backtests, scores.predictions, scores.calibration to {prefix}_scorer;
grant select on scores.backtests, scores.predictions, scores.calibration to {prefix}_reader;
