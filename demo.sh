#!/usr/bin/env bash
# Sets up, then runs the main job on a simulated Earth: outline -> chips -> pretraining -> embeddings -> curves -> report.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
./setup.sh
study=${1:-demo}
[ -f "$study/study.toml" ] || .venv/bin/terrashot new "$study" --template simulated
exec .venv/bin/terrashot run "$study"
