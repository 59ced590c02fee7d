#!/usr/bin/env bash
# Runs every test from a clean machine: makes .venv with the tools for development, then pytest. Arguments go to pytest.
# The tests bring up stacks of their own, on their own ports and folders; a demo that runs is not touched.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

. deploy/bootstrap.sh
make_environment requirements-dev.lock
# As the scorer does: threads of BLAS that wait for each other take small fits ten times as long.
export OPENBLAS_NUM_THREADS=${OPENBLAS_NUM_THREADS:-1}
# Everything: two at a time, a file each (tests/side_by_side.py); the tests of whole stacks mostly wait.
[ $# -gt 0 ] || set -- --numprocesses=2
exec .venv/bin/python -m pytest "$@"
