One scorer at a time. Locks are held by the session, so that a scorer that dies gives them back.
731902: who has it works. 731904: who has it is next.

-- name: try_lock
select pg_try_advisory_lock(%(lock)s)

-- name: unlock
select pg_advisory_unlock(%(lock)s)

-- name: holder
-- Who works, else who is next: its name, its session, since when it is connected, seconds ago.
select a.application_name, a.pid, a.backend_start, extract(epoch from clock_timestamp() - a.backend_start)::float8
from pg_locks as l
join pg_stat_activity as a using (pid)
where l.locktype = 'advisory'
  and l.database = (select oid from pg_database where datname = current_database())
  and l.classid = 0 and l.objid = any(%(locks)s::oid[]) and l.objsubid = 1
  and l.granted
  and a.pid <> pg_backend_pid()
order by l.objid
limit 1
