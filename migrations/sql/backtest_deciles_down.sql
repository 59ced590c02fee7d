drop table scores.backtest_deciles;
