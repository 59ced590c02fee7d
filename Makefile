# The verbs of everyday work. `./setup.sh` and `./test.sh` need none of them.
BIN := .venv/bin
UV := .venv/uv/bin/uv
# Where this is set, each run compiles every library anew: 9 of the unit tests' 30 s.
unexport PYTHONDONTWRITEBYTECODE
# As the scorer does: threads of BLAS that wait for each other take small fits ten times as long.
export OPENBLAS_NUM_THREADS ?= 1

.PHONY: check lint types imports unit test bench lock

check:  ## all that is quick, the unit tests in two processes; run before each commit
	@$(MAKE) --no-print-directory -j2 unit lint types imports

lint:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types:
	$(BIN)/mypy

imports:
	$(BIN)/lint-imports

unit:
	$(BIN)/python -m pytest -q --numprocesses=2 tests/unit

test:  ## everything, on real parts
	./test.sh

bench:  ## the reports under benchmarks/results
	$(BIN)/python -m benchmarks all

lock:  ## after a change of dependencies in pyproject.toml; the locks name no index, so any mirror serves
	$(UV) pip compile -q pyproject.toml --all-extras --group dev --universal \
		--generate-hashes --python-version 3.12 --no-header -o requirements-dev.lock
	$(UV) pip compile -q pyproject.toml --extra native --extra cdnow -c requirements-dev.lock --universal \
		--generate-hashes --python-version 3.12 --no-header -o requirements.lock
