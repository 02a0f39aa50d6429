#!/usr/bin/env bash
# Makes .venv with everything terrashot needs and stamps what it did; returns at once while the stamp still fits.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

stamp=.venv/terrashot-setup.sha256
digest=$(cat pyproject.toml hatch_build.py requirements/torch.txt requirements/constraints.txt setup.sh | sha256sum | cut -d' ' -f1)
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$digest" ]; then
  exit 0
fi

find_python() {
  local candidate
  for candidate in ${PYTHON:-} python3.11 python3.12 python3.13 python3; do
    if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
  echo "setup.sh: no Python 3.11 or newer with venv found; install one, or name it: PYTHON=/path/to/python ./setup.sh" >&2
  exit 2
}

python=$(find_python)
echo "setup.sh: making .venv with $("$python" --version); about a minute with a fast network" >&2
"$python" -m venv --clear .venv
# torch first and alone: the pin then also fits a CPU build that pip already knows of.
.venv/bin/python -m pip install --quiet --disable-pip-version-check -r requirements/torch.txt
.venv/bin/python -m pip install --quiet --disable-pip-version-check -c requirements/constraints.txt -e '.[all,dev]'
echo "$digest" > "$stamp"
