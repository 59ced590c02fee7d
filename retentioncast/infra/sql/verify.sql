-- What analytics should hold, recomputed from the shop by other means than the consumer's, and what it does hold.
-- Both sides are read in one snapshot. {names} are those of the shop's tables and columns (core/shop.py).

-- name: compare  rows that only one side has, or that differ; as text, so that nothing is lost on the way
select coalesce(expected.{key}, found.{key}),
       coalesce(expected.{customer}, found.{customer}),
       expected.{key} is not null,
       found.{key} is not null,
       array[{expected_texts}]::text[],
       array[{found_texts}]::text[],
       array[{differs}]
from ({expected}) as expected
full join ({found}) as found on expected.{key} = found.{key}
where expected.{key} is null or found.{key} is null or ({any_differs})
order by 1
limit {limit};

-- name: rfm_expected  the rule of core/rfm.py
select t.{customer_id} as customer_id,
       min(t.{occurred_at}) filter (where is_order) as first_purchase,
       max(t.{occurred_at}) filter (where is_order) as latest_purchase,
       max(t.{occurred_at}) filter (where is_order) - min(t.{occurred_at}) filter (where is_order) as recency,
       count(*) filter (where is_order) - 1 as frequency,
       count(*) filter (where is_order) as order_count,
       sum(case when t.{kind} = 'refund' then -t.{amount} else t.{amount} end) as order_value
from {transactions} t
left join (
    select {refers_to} as order_id, sum({amount}) as refunded
    from {transactions}
    where {kind} = 'refund'
    group by {refers_to}
) r on r.order_id = t.{transaction_id}
cross join lateral (
    select t.{kind} in ('purchase', 'renewal') and (t.{amount} = 0 or coalesce(r.refunded, 0) < t.{amount}) as is_order
) rule
group by t.{customer_id}
having count(*) filter (where is_order) > 0

-- name: rfm_found
select * from analytics.customer_rfm

-- name: mirror_expected
select {shop_columns} from {shop_table}

-- name: mirror_found
select {mirror_columns} from {mirror_table} where not deleted

-- name: refunded_expected  what live refunds give back, by the row that they refer to
select {refers_to} as transaction_id, null::bigint as customer_id, sum({amount}) as refunded
from {transactions}
where {kind} = 'refund' and {refers_to} is not null
group by {refers_to}
having sum({amount}) > 0

-- name: refunded_found
select transaction_id, null::bigint as customer_id, refunded from analytics.transactions where refunded <> 0

-- name: written_to  where the shop's log ends: what is committed before now stands in front of it
select pg_current_wal_insert_lsn()::text;

-- name: passed_by_slot  whether Debezium has handed everything in front of this place to Kafka; no row: no slot
select confirmed_flush_lsn >= %(lsn)s::pg_lsn from pg_replication_slots where slot_name = %(slot)s;

-- name: applied  which offsets analytics includes
select topic, partition, next_offset from analytics.offsets;
