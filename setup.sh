#!/usr/bin/env bash
# From a clone to live churn risk: makes .venv from the lock file, then runs `retentioncast up`.
# Needs Python 3.12 or 3.13 and the Python and Maven package registries; containers are used where an engine answers.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

usage() {
    cat <<'TEXT'
./setup.sh [--native | --docker] [--no-demo] [--load quiet|normal|busy|flood]

  --native      every part a process of this machine, also where a container engine answers
  --docker      every part a container, with docker compose
  --no-demo     an empty shop: no past, no simulator
  --load LEVEL  how much the demo shop writes (default: normal)
  --help        this text

Run it again at any time: it finds what runs and repairs what does not.
TEXT
}

for option in "$@"; do
    case "$option" in -h | --help) usage; exit 0 ;; esac
done

. deploy/bootstrap.sh
make_environment requirements.lock
bring_java
exec .venv/bin/retentioncast up "$@"
