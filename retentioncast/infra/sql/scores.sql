-- What the scores say about customers, for people and the API. One statement reads one generation.

-- name: top
select s.*, c.name, c.email, c.country, r.latest_purchase, r.order_count, r.order_value,
       -- What the online model said of the 30 days after an event is no news once they are over.
       case when o.as_of > s.as_of - interval '30 days' then o.no_order_30d end as online_no_order_30d,
       o.as_of as online_as_of
from scores.customer_scores s
left join analytics.customers c on c.customer_id = s.customer_id and not c.deleted
left join analytics.customer_rfm r on r.customer_id = s.customer_id
left join analytics.online_scores o on o.customer_id = s.customer_id
where %(customer)s::bigint is null or s.customer_id = %(customer)s
order by {order}
limit %(top)s;

-- name: by_risk  in steps of a percent, so that among those who are surely gone the most valuable come first
round(s.no_purchase_30d::numeric, 2) desc nulls last, s.residual_value desc nulls last, s.customer_id

-- name: by_stake  the value that is expected to be lost
s.no_purchase_90d * s.residual_value desc nulls last, s.customer_id

-- name: by_value
s.residual_value desc nulls last, s.customer_id

-- name: last_run
select run_id, started_at, as_of, status, reason, customers from scores.model_runs where kind = 'scores' order by run_id desc limit 1;

-- name: is_known
select exists (select from analytics.customers where customer_id = %(customer)s and not deleted),
       exists (select from analytics.customer_rfm where customer_id = %(customer)s);
