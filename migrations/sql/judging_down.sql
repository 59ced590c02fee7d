drop table scores.calibration;
drop table scores.predictions;
drop table scores.backtests;
