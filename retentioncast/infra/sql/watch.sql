-- What analytics knows of rows and customers, for those who watch changes pass.

-- name: recent  the latest versions, so that the first change of a row already has a before
select * from {table} where not deleted order by commit_lsn desc, lsn desc limit {limit};

-- name: customer_name
select name from analytics.customers where customer_id = %(customer)s and not deleted;
