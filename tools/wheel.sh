#!/usr/bin/env bash
# Builds the wheel of the package for Python, installs it into an empty environment and tests it there: its tests, the
# recipes of docs/python.md, its types, and the size of a wheel for release.
#
#     tools/wheel.sh [--release] [FOLDER of an environment that has the packages of tools/wheel_requirements.txt]
set -euo pipefail
cd "$(dirname "$0")/.."

profile=(--profile dev)
most=0
if [[ "${1:-}" == --release ]]; then
    profile=(--release)
    most=36000000
    shift
fi
target="${CARGO_TARGET_DIR:-target}"
environment="${1:-$target/wheel-tests}"
jobs="${CARGO_BUILD_JOBS:-}"

if [[ ! -x "$environment/bin/python" ]]; then
    python3 -m venv "$environment"
    "$environment/bin/pip" install --quiet --requirement tools/wheel_requirements.txt
fi
python="$environment/bin/python"

wheels="$target/wheels"
rm -f "$wheels"/vulnlens-*.whl
"$python" -m maturin build "${profile[@]}" ${jobs:+--jobs "$jobs"} --manifest-path crates/python/Cargo.toml \
    --interpreter "$python" --out "$wheels"
wheel="$(ls "$wheels"/vulnlens-*.whl)"
bytes="$(stat -c %s "$wheel")"
echo "$wheel: $bytes bytes"
if ((most && bytes > most)); then
    echo "the wheel is larger than $most bytes" >&2
    exit 1
fi

# It needs nothing: by itself it is imported and answers.
bare="$(mktemp -d)"
trap 'rm -rf "$bare"' EXIT
python3 -m venv "$bare"
"$bare/bin/pip" install --quiet --no-index "$wheel"
"$bare/bin/python" -c 'import vulnlens; print(vulnlens.Classifier()("SQL injection in login.php"))'
"$bare/bin/vulnlens" classify --format csv "SQL injection in login.php" >/dev/null

"$environment/bin/pip" install --quiet --force-reinstall --no-deps --no-index "$wheel"
# From a folder without the sources, so that the installed package is the one that is tested.
sources="$PWD/crates/python"
(cd "$bare" && "$python" -m pytest --quiet -c "$sources/pyproject.toml" --rootdir "$sources" "$sources/tests")
(cd "$sources/python" && "$python" -m mypy --config-file ../pyproject.toml --cache-dir "$bare/mypy" vulnlens)
(cd "$bare" && "$python" -m mypy.stubtest --mypy-config-file "$sources/pyproject.toml" vulnlens._native)
