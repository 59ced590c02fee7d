# Leaves one package out of a lock file of `name==version \` blocks: awk -v without=NAME -f locked.awk FILE
/^[^ #]/ { split($1, name, "=="); leave_out = name[1] == without }
!leave_out
