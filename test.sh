#!/usr/bin/env bash
# Sets up, then runs the tests; arguments go to pytest (./test.sh -m faults, ./test.sh tests/domain).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
./setup.sh
# A process a core; each keeps to one thread, so that they do not wait for each other. Counted first: nproc heeds OMP_NUM_THREADS.
cores=$(nproc 2>/dev/null || echo 2)
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE
# Compiled modules are kept: the tests start hundreds of processes.
unset PYTHONDONTWRITEBYTECODE
exec .venv/bin/python -m pytest -n "$cores" --dist worksteal "$@"
