What the scorer writes: one row a run, and one whole generation of scores or none.

-- name: record_run
insert into scores.model_runs
    (started_at, as_of, status, reason, parameters, data_from, data_to, customers, log_likelihood, duration_s,
     code_version)
values
    (%(started_at)s, %(as_of)s, %(status)s, %(reason)s, %(parameters)s, %(data_from)s, %(data_to)s, %(customers)s,
     %(log_likelihood)s, %(duration_s)s, %(code_version)s)
returning run_id

-- name: finish_run
update scores.model_runs set duration_s = %(duration_s)s where run_id = %(run_id)s

-- name: add_note
update scores.model_runs set reason = %(reason)s where run_id = %(run_id)s

-- name: forget_scores
-- Not TRUNCATE: readers keep seeing the last generation until this transaction commits.
delete from scores.customer_scores

-- name: write_member
insert into scores.purchase_models (run_id, member, family, weight, time_unit, parameters)
values (%(run_id)s, %(member)s, %(family)s, %(weight)s, %(time_unit)s, %(parameters)s)

-- name: write_recalibration
insert into scores.recalibrations (run_id, method, parameters)
values (%(run_id)s, %(method)s, %(parameters)s)

-- name: forget_curves
delete from scores.leaving_curves

-- name: copy_curves
copy scores.leaving_curves (run_id, member, frequency, breaks, coefficients) from stdin

-- name: copy_scores
copy scores.customer_scores ({columns}) from stdin (format binary)
