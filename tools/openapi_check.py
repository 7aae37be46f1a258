#!/usr/bin/env python3
"""Asks a server whatever its description allows and forbids, by schemathesis, and compares the answers with it.

    pip install 'schemathesis>=4,<5'
    python3 tools/openapi_check.py target/release/vulnlens [--examples N] [--seed N]

Starts `BINARY serve` with a key on a free port and runs all checks of schemathesis, with a fixed seed, against
/v1/openapi.json. `tools/schemathesis.toml` says which answers a schema cannot speak for. Ends with exit code 1 if an
answer is not as described, or the server does not survive.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from vulnlens_tools.serving import Serving

KEY = "a-key-for-tests"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("binary", type=Path)
    parser.add_argument("--examples", type=int, default=40, help="requests drawn for each operation (default: 40)")
    parser.add_argument("--seed", type=int, default=1, help="the draw (default: 1)")
    arguments = parser.parse_args()
    program = Path(sys.executable).with_name("schemathesis")
    if not program.exists():
        sys.exit(f"{program}: does not exist; pip install 'schemathesis>=4,<5' for this Python")
    config = Path(__file__).resolve().with_name("schemathesis.toml")
    with Serving(arguments.binary, "fast", key=KEY) as server, tempfile.TemporaryDirectory() as folder:
        command = [
            program, f"--config-file={config}", "run", f"{server.address}v1/openapi.json",
            f"--header=Authorization: Bearer {KEY}", f"--seed={arguments.seed}", f"--max-examples={arguments.examples}",
            "--checks=all", "--phases=examples,coverage,fuzzing", "--generation-database=none",
            "--suppress-health-check=all", "--continue-on-failure", "--no-color",
        ]
        tools = str(config.parent)
        path = os.pathsep.join(filter(None, [tools, os.environ.get("PYTHONPATH")]))
        environment = os.environ | {"PYTHONPATH": path, "SCHEMATHESIS_HOOKS": "vulnlens_tools.schemathesis_hooks"}
        # Whatever it leaves behind goes with the folder.
        ended = subprocess.run([str(word) for word in command], cwd=folder, env=environment)
    sys.exit(ended.returncode)


if __name__ == "__main__":
    main()
