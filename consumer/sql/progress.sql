What has been applied, and what could not be.

-- name: lock_shared
-- Batches share this lock; a TRUNCATE takes it alone, so that no batch that saw no floor is still writing.
select pg_advisory_xact_lock_shared(731901)

-- name: flush_later
-- A small batch does not wait for the disk: rows and offsets are in one transaction, so what a crash of Postgres takes
-- away is read again from Kafka, and a consumer that had gone on finds its offsets moved back and starts anew.
set local synchronous_commit = off

-- name: join_whole_tables
-- A TRUNCATE looks at whole tables, where a batch looks up its rows (consumer/store.py, prepare).
set local enable_hashjoin = on

-- name: lock_exclusive
select pg_advisory_xact_lock(731901)

-- name: begin_partition
insert into analytics.offsets (topic, partition, next_offset, topic_id)
values (%(topic)s, %(partition)s, %(next_offset)s, %(topic_id)s)
on conflict do nothing

-- name: read_offsets
select topic, partition, next_offset, topic_id from analytics.offsets
where (topic, partition) in (select * from unnest(%(topics)s::text[], %(partitions)s::int[]))

-- name: move_offsets
-- Compare-and-set: who finds another number than expected has been overtaken and must write nothing.
with wanted as (
    select * from unnest(%(topics)s::text[], %(partitions)s::int[], %(firsts)s::bigint[], %(nexts)s::bigint[],
                         %(times)s::float8[]) as w (topic, partition, first, next, at)
),
locked as (
    select o.topic, o.partition from analytics.offsets as o join wanted using (topic, partition)
    where o.next_offset = wanted.first
    order by o.topic, o.partition for update of o
)
update analytics.offsets as o
set next_offset = wanted.next,
    stream_time = greatest(o.stream_time, to_timestamp(wanted.at)),
    applied_at = clock_timestamp()
from wanted join locked using (topic, partition)
where o.topic = wanted.topic and o.partition = wanted.partition and o.next_offset = wanted.first

-- name: dead_letter
insert into analytics.dead_letters (topic, partition, "offset", reason, field, value, key, payload)
values (%(topic)s, %(partition)s, %(offset)s, %(reason)s, %(field)s, %(value)s, %(key)s, %(payload)s)
on conflict do nothing

