"""The command line in the package: the same bytes, exit codes and ends as the binary's."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from conftest import Command

TEXT = "SQL injection in login.php"


def test_exit_codes_are_kept(command: Command) -> None:
    for arguments, code in [
        (("classify", "--format", "jsonl", TEXT), 0),
        (("--version",), 0),
        (("--help",), 0),
        (("--no-such-option",), 2),
        (("classify", "no-such-file.jsonl"), 3),
        (("classify", "--model", "no-such-model.bin", TEXT), 5),
        (("kb", "path", "CWE-79", "T1003"), 3),
    ]:
        done = command(*arguments)
        assert done.returncode == code, (arguments, done)
        assert b"Traceback" not in done.stderr


def test_nothing_is_said_twice(command: Command) -> None:
    assert command("classify", "--format", "jsonl", TEXT).stdout.count(b"\n") == 1
    done = command("classify", "no-such-file.jsonl")
    assert done.stdout == b"" and done.stderr.count(b"error:") == 1
    shown = command("--help").stdout.decode()
    assert shown.count("Usage:") == 1 and re.search(r"Usage: vulnlens\b", shown)


def test_the_console_entry_is_the_command() -> None:
    entry = Path(sys.executable).parent / "vulnlens"
    if not entry.exists():
        pytest.skip("the package is not installed with its entries")
    command = [entry, "classify", "--format", "jsonl", "-"]
    done = subprocess.run(command, input=TEXT.encode(), capture_output=True, timeout=60)
    assert done.returncode == 0 and done.stdout.startswith(b'{"schema_version":1')


def test_a_reader_that_goes_away_is_no_fault(tmp_path: Path) -> None:
    lines = tmp_path / "in.txt"
    lines.write_text("".join(f"SQL injection in page{number}.php\n" for number in range(20_000)))
    command = [sys.executable, "-m", "vulnlens", "classify", "--format", "jsonl", str(lines)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.readline().startswith(b"{")
        process.stdout.close()
        said = process.stderr.read()
        assert process.wait(timeout=60) == 0
    assert b"error" not in said and b"Traceback" not in said


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_ctrl_c_ends_it_by_the_signal() -> None:
    command = [sys.executable, "-m", "vulnlens", "classify", "--format", "jsonl", "--input-format", "lines", "-"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None and process.stdout is not None and process.stderr is not None
        process.stdin.write(b"SQL injection\n")
        process.stdin.flush()
        assert process.stdout.readline().startswith(b"{")
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == -signal.SIGINT
        assert b"Traceback" not in process.stderr.read()


def test_the_binary_says_the_same(command: Command) -> None:
    binary = os.environ.get("VULNLENS_BINARY") or shutil.which("vulnlens-binary")
    if not binary:
        pytest.skip("VULNLENS_BINARY does not name the binary to compare with")
    commands = [("classify", "--format", "csv", TEXT), ("kb", "show", "CWE-79"), ("--version",), ("classify", "--xx")]
    for arguments in commands:
        began = time.monotonic()
        own = command(*arguments)
        assert time.monotonic() - began < 60
        other = subprocess.run([binary, *arguments], capture_output=True, timeout=60, stdin=subprocess.DEVNULL)
        assert (own.returncode, own.stdout, own.stderr) == (other.returncode, other.stdout, other.stderr)
