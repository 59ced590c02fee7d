drop view scores.risk_now;
drop function scores.no_purchase(bigint, integer, timestamptz);
drop function scores.no_purchase_at(integer, timestamptz);
drop function scores.risk_at(timestamptz);
drop view scores.published_models;
drop function scores.predict_right(
    scores.member[], boolean, scores.curve, scores.curve, scores.curve, float8, float8, float8, float8);
drop function scores.within_days(float8, float8, float8, float8, float8, float8, float8, float8);
drop function scores.between(float8, float8, float8, float8, float8);
drop function scores.set_right(float8, scores.curve);
drop function scores.on_line(float8, float8[], float8[], integer);
drop function scores.curve_of(bigint, integer);
drop type scores.curve;
drop function scores.predict(scores.member[], float8, float8, float8, float8);
drop function scores.silent(
    text, float8, float8, float8, float8, float8, float8, float8, float8, float8, float8);
drop function scores.alive(
    text, float8, float8, float8, float8, float8, float8, float8, float8, float8, float8);
drop function scores.waits(text, float8, float8, float8, float8, float8, float8, float8, float8);
drop function scores.leaves_first(text, float8, float8, float8, float8, float8, float8, float8);
drop function scores.refuse_family(text);
drop function scores.leaves_first_gompertz(float8, float8, float8, float8, float8, float8);
drop table scores.quadrature;
drop function scores.log_stays_gompertz(float8, float8, float8, float8, float8);
drop function scores.leaves_first_pareto(float8, float8, float8, float8, float8);
drop function scores.log_stays_pareto(float8, float8, float8, float8);
drop function scores.alive_mbg_nbd(float8, float8, float8, float8, float8, float8, float8);
drop function scores.alive_bg_nbd(float8, float8, float8, float8, float8, float8, float8);
drop function scores.silent_while_alive(float8, float8, float8, float8, float8);
drop function scores.bounded_exp(float8);
drop function scores.stack_of(bigint);
drop type scores.member;
drop function scores.purchases_at(timestamptz);
drop function scores.purchases_of(bigint, timestamptz);
drop table scores.customer_purchases;
drop index analytics.transactions_refunds;
