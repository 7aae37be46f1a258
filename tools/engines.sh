#!/usr/bin/env bash
# Installs the wheel and the engines into an environment and checks the adapters on them: Spark, Ray, Dask, and gunicorn's
# preload. What cannot be installed is named and skipped.
#
#     tools/engines.sh WHEEL [FOLDER of an environment]
set -euo pipefail
cd "$(dirname "$0")/.."

wheel="$(realpath "$1")"
environment="${2:-${CARGO_TARGET_DIR:-target}/engines}"
[[ -x "$environment/bin/python" ]] || python3 -m venv "$environment"
pip() { "$environment/bin/pip" install --quiet "$@"; }
pip --requirement tools/wheel_requirements.txt gunicorn || echo "skipped: not every engine can be installed"
pip --force-reinstall --no-deps --no-index "$wheel"
if ! command -v java >/dev/null 2>&1; then
    apt-get install -y --no-install-recommends default-jre-headless || echo "skipped: there is no Java for Spark"
fi

"$environment/bin/python" tools/engines.py
"$environment/bin/python" tools/gunicorn_check.py
