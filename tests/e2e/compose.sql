What the test of docker-compose.yml asks; each answer is one number.

-- name: scored_customers
select count(*) from scores.customer_scores;

-- name: dead_letters
select count(*) from analytics.dead_letters;

-- name: rfm_rows
select count(*) from analytics.customer_rfm;

-- name: rfm_differences
-- Rows that are in one of the two only: what the consumer holds, and what the shop's own tables say.
with refunded as (
    select refers_to as transaction_id, sum(amount) as amount
    from shop.transactions where kind = 'refund' and refers_to is not null group by refers_to
), orders as (
    select paid.customer_id, paid.occurred_at
    from shop.transactions paid left join refunded using (transaction_id)
    where paid.kind in ('purchase', 'renewal')
      and (paid.amount = 0 or coalesce(refunded.amount, 0) < paid.amount)
), counted as (
    select customer_id, min(occurred_at) as first_purchase, max(occurred_at) as latest_purchase, count(*) as orders
    from orders group by customer_id
), earned as (
    select customer_id, sum(case kind when 'refund' then -amount else amount end) as order_value
    from shop.transactions group by customer_id
), expected as (
    select customer_id, first_purchase, latest_purchase, latest_purchase - first_purchase as recency,
           orders - 1 as frequency, orders as order_count, order_value
    from counted join earned using (customer_id)
), held as (
    select customer_id, first_purchase, latest_purchase, recency, frequency, order_count, order_value
    from analytics.customer_rfm
)
select count(*) from ((table expected except table held) union all (table held except table expected)) as different;
