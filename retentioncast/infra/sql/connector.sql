What we say to Debezium through its signal table.

-- name: ask_for_snapshot
insert into {table} (id, type, data) values (%(id)s, 'execute-snapshot', %(data)s);
