-- A login each, with only what each needs. Passwords are set by `retentioncast migrate` from the settings.
-- {prefix} is the settings' role prefix. Roles belong to the whole server: another database may already have them.
do $$
declare role text;
begin
    foreach role in array array['simulator', 'debezium', 'consumer', 'scorer', 'reader'] loop
        if not exists (select from pg_roles where rolname = '{prefix}_' || role) then
            execute format('create role %I login', '{prefix}_' || role);
        end if;
    end loop;
end $$;

alter role {prefix}_debezium replication;
alter role {prefix}_reader set default_transaction_read_only = on;

-- The simulator is the shop: it writes shop and truth, and sees nothing of what we make of it.
grant usage on schema shop, truth to {prefix}_simulator;
grant select, insert, update, delete, truncate on all tables in schema shop, truth to {prefix}_simulator;
grant usage, select, update on all sequences in schema shop to {prefix}_simulator;

-- Debezium reads the shop, beats its heart and leaves signals there.
grant usage on schema shop to {prefix}_debezium;
grant select on all tables in schema shop to {prefix}_debezium;
grant insert, update on shop.heartbeat, shop.debezium_signals to {prefix}_debezium;

-- The consumer writes analytics only.
grant usage on schema analytics to {prefix}_consumer;
grant select, insert, update, delete, truncate on all tables in schema analytics to {prefix}_consumer;
grant temporary on database {database} to {prefix}_consumer;

-- The scorer reads analytics and writes scores.
grant usage on schema analytics, scores to {prefix}_scorer;
grant select on all tables in schema analytics to {prefix}_scorer;
grant select, insert, update, delete on all tables in schema scores to {prefix}_scorer;
grant usage on all sequences in schema scores to {prefix}_scorer;

-- The reader reads what there is for people; the simulator's truth is not.
grant usage on schema shop, analytics, scores to {prefix}_reader;
grant select on all tables in schema shop, analytics, scores to {prefix}_reader;
