drop view scores.in_force;
drop table scores.recalibrations;
drop table scores.purchase_models;
