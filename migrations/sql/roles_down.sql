do $$
declare role text;
begin
    foreach role in array array['simulator', 'debezium', 'consumer', 'scorer', 'reader'] loop
        if exists (select from pg_roles where rolname = '{prefix}_' || role) then
            execute format('drop owned by %I', '{prefix}_' || role);
            begin
                execute format('drop role %I', '{prefix}_' || role);
            exception when dependent_objects_still_exist then
                raise notice 'role %_% is used by another database and stays', '{prefix}', role;
            end;
        end if;
    end loop;
end $$;
