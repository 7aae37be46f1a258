"""What the tests have in common."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import vulnlens

#: The records of the golden tests of the command line.
RECORDS = Path(__file__).resolve().parents[2] / "cli" / "tests" / "golden" / "records.jsonl"


@pytest.fixture(scope="session")
def model() -> vulnlens.Classifier:
    return vulnlens.Classifier()


@pytest.fixture(scope="session")
def records() -> Path:
    return RECORDS


@pytest.fixture(scope="session")
def texts() -> list[str]:
    """Texts of many kinds, some of them twice."""
    plain = [record.text for record in vulnlens.read(RECORDS, on_error="skip")]
    assert len(plain) > 5
    more = [f"SQL injection in page{number}.php via the id parameter." for number in range(400)]
    return plain + more + plain


Command = Callable[..., "subprocess.CompletedProcess[bytes]"]


@pytest.fixture(scope="session")
def command() -> Command:
    """Runs the command line in a process of its own."""

    def run(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        environment = {key: value for key, value in os.environ.items() if not key.startswith("VULNLENS_")}
        command = [sys.executable, "-m", "vulnlens", *arguments]
        return subprocess.run(command, input=stdin, capture_output=True, env=environment, timeout=300)

    return run
