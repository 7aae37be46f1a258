"""Fixtures of the tests of all integrations: the built binary, and servers of it on free ports.

The binary is that of the variable VULNLENS_BINARY, otherwise ``target/release/vulnlens``. `tools/integrations.sh` sets
up the environment and runs the tests.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from vulnlens_tools.serving import Serving

ROOT = Path(__file__).resolve().parent.parent

SQL_INJECTION = (
    "SQL injection in login.php of Shop 1.2 lets remote attackers read the users table via the id parameter."
)
API_KEY = "a-key-for-tests"


@pytest.fixture(scope="session")
def binary() -> Path:
    """The built binary."""
    named = os.environ.get("VULNLENS_BINARY")
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    path = Path(named) if named else target / "release/vulnlens"
    if not path.is_file():
        pytest.skip(f"there is no {path}; build it by `cargo build --release`, or name another by VULNLENS_BINARY")
    return path


@pytest.fixture(scope="session")
def enriching(binary: Path) -> Path:
    """The built binary, if it has the command ``enrich``."""
    if subprocess.run([binary, "enrich", "--help"], capture_output=True).returncode != 0:
        pytest.skip(f"{binary} has no `enrich`")
    return binary


#: A program in place of vulnlens: the document says what it tells of itself, and how it ends.
STUB = """#!{python}
import json, sys
*options, dash, path = sys.argv[2:]
assert sys.argv[1] == "enrich" and dash == "--", sys.argv
text = open(path).read()
told = json.loads(text)
out = next(option for option in options if option.startswith("--out="))[6:]
for option in told.get("options", []):
    assert option in options, options
if told["code"] in (0, 4, 7):
    open(out, "w").write(text.replace("before", "after"))
sys.stderr.write("".join(line + chr(10) for line in told.get("lines", [])) + path + ": " + told["summary"] + chr(10))
sys.exit(told["code"])
"""


@pytest.fixture
def stub(tmp_path: Path) -> Path:
    """A program in place of vulnlens."""
    path = tmp_path / "stub" / "vulnlens"
    path.parent.mkdir()
    path.write_text(STUB.format(python=sys.executable), encoding="utf-8")
    path.chmod(0o755)
    return path


def advisory(**fields: object) -> dict[str, object]:
    """An advisory in OSV, which tells its weakness and does not name it."""
    return {
        "schema_version": "1.6.0",
        "id": "TEST-2024-1",
        "modified": "2024-02-01T00:00:00Z",
        "published": "2024-02-01T00:00:00Z",
        "details": SQL_INJECTION,
        **fields,
    }


@pytest.fixture(scope="session")
def server(binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server that knows the text of CVE-2024-0001."""
    folder = tmp_path_factory.mktemp("server")
    record = {
        "dataType": "CVE_RECORD",
        "dataVersion": "5.1",
        "cveMetadata": {
            "cveId": "CVE-2024-0001",
            "assignerOrgId": "00000000-0000-4000-8000-000000000000",
            "state": "PUBLISHED",
            "datePublished": "2024-02-01T00:00:00.000Z",
        },
        "containers": {
            "cna": {
                "providerMetadata": {"orgId": "00000000-0000-4000-8000-000000000000"},
                "descriptions": [{"lang": "en", "value": SQL_INJECTION}],
            }
        },
    }
    source, data = folder / "record.json", folder / "data.parquet"
    source.write_text(json.dumps(record), encoding="utf-8")
    subprocess.run([binary, "data", "build", source, "--out", data], check=True, capture_output=True)
    with Serving(str(binary), "fast", arguments=("--data", str(data))) as serving:
        yield serving.address


@pytest.fixture(scope="session")
def locked_server(binary: Path) -> Iterator[str]:
    """The address of a server with the key `API_KEY`."""
    with Serving(str(binary), "fast", key=API_KEY) as serving:
        yield serving.address
