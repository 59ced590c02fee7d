One event a commit, as a consumer without batches does it: three statements and a commit an event.

-- name: row
insert into analytics.transactions as t
    (transaction_id, customer_id, kind, amount, currency, occurred_at, refers_to, commit_lsn, lsn, deleted)
values (%(transaction_id)s, %(customer_id)s, %(kind)s, %(amount)s, %(currency)s, %(occurred_at)s, %(refers_to)s,
        %(commit_lsn)s, %(lsn)s, %(deleted)s)
on conflict (transaction_id) do update set
    customer_id = excluded.customer_id, kind = excluded.kind, amount = excluded.amount,
    occurred_at = excluded.occurred_at, refers_to = excluded.refers_to,
    commit_lsn = excluded.commit_lsn, lsn = excluded.lsn, deleted = excluded.deleted
where (excluded.commit_lsn, excluded.lsn) > (t.commit_lsn, t.lsn)

-- name: totals
insert into analytics.customer_totals as c (customer_id, first_purchase, latest_purchase, order_count, order_value)
values (%(customer_id)s, %(occurred_at)s, %(occurred_at)s, 1, %(amount)s)
on conflict (customer_id) do update set
    first_purchase  = least(c.first_purchase, excluded.first_purchase),
    latest_purchase = greatest(c.latest_purchase, excluded.latest_purchase),
    order_count     = c.order_count + excluded.order_count,
    order_value     = c.order_value + excluded.order_value

-- name: offset
insert into analytics.offsets (topic, partition, next_offset, topic_id)
values (%(topic)s, %(partition)s, %(next_offset)s, '')
on conflict (topic, partition) do update set next_offset = excluded.next_offset
