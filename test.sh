#!/usr/bin/env bash
# Runs every test from a clean machine: makes .venv with the tools for development, then pytest. Arguments go to pytest.
# The tests bring up stacks of their own, on their own ports and folders; a demo that runs is not touched.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

. deploy/bootstrap.sh
make_environment requirements-dev.lock
exec .venv/bin/python -m pytest "$@"
