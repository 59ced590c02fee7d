-- Predicted against happened (nothing was bought), by tenths of what each contender told in each window of a backtest.
-- They go with the measures that they belong to.
create table scores.backtest_deciles (
    run_id         bigint not null,
    origin         date not null,
    horizon_days   integer not null,
    contender      text not null,
    decile         integer not null check (decile between 1 and 10),
    n              bigint not null check (n > 0),
    mean_predicted double precision not null,
    happened       bigint not null check (happened between 0 and n),
    primary key (run_id, origin, horizon_days, contender, decile),
    foreign key (run_id, origin, horizon_days, contender) references scores.backtests on delete cascade
);

grant select, insert on scores.backtest_deciles to {prefix}_scorer;
grant select on scores.backtest_deciles to {prefix}_reader;
