#!/usr/bin/env bash
# Tests the integrations with the classes of the platforms that they are for, against the built binary; checks their types.
# What cannot be installed is named, and its tests are skipped. A wheel of tools/wheel.sh, if there is one, is tested, too.
#
#     tools/integrations.sh [FOLDER of an environment]
#
# The binary is target/release/vulnlens, or that of the variable VULNLENS_BINARY.
set -euo pipefail
cd "$(dirname "$0")/.."

target="${CARGO_TARGET_DIR:-target}"
environment="${1:-$target/integrations-tests}"
[[ -x "$environment/bin/python" ]] || python3 -m venv "$environment"
python="$(realpath -s "$environment")/bin/python"

# Together, so that their dependencies fit each other; otherwise one by one, so that what is missing takes nothing else
# with it. What is there is not asked for again.
requirements=tools/integrations_requirements.txt
installed="$environment/integrations_requirements.txt"
if ! cmp --quiet "$requirements" "$installed"; then
    if "$python" -m pip install --quiet --requirement "$requirements"; then
        cp "$requirements" "$installed"
    else
        grep -v '^#' "$requirements" | while read -r package; do
            "$python" -m pip install --quiet "$package" || echo "skipped: $package cannot be installed"
        done
    fi
fi
if ! "$python" -c 'import pytest, yaml' 2>/dev/null; then
    echo "skipped: the tests of the integrations need pytest and PyYAML"
    exit 0
fi

wheel="$(find "$target/wheels" -name 'vulnlens-*.whl' 2>/dev/null | sort | tail -1 || true)"
if [[ -n "$wheel" ]]; then
    "$python" -m pip install --quiet --force-reinstall --no-deps --no-index "$wheel"
else
    echo "skipped: there is no wheel in $target/wheels; tools/wheel.sh builds it"
fi

"$python" -m pytest --quiet -rs integrations
# The package that users install has all that its tests had.
packaged="$(mktemp -d)"
trap 'rm -rf "$packaged"' EXIT
# From a copy, since a package is built where its sources are.
cp -r integrations/client "$packaged/source"
"$python" -m pip install --quiet --no-deps --target "$packaged/packages" "$packaged/source"
(cd "$packaged/packages" && "$python" -c 'import vulnlens_client; vulnlens_client.HttpAsker("http://127.0.0.1:8080")')
if "$python" -c 'import mypy, pycti, pymisp' 2>/dev/null; then
    for part in client/vulnlens_client opencti/vulnlens_opencti opencti/main.py misp/expansion/vulnlens_weaknesses.py \
        github-action/enrich.py pre-commit/vulnlens_enrich.py; do
        MYPYPATH=integrations/client:integrations/opencti "$python" -m mypy --config-file integrations/mypy.ini \
            --cache-dir "$packaged/mypy" "integrations/$part"
    done
fi
