"""The step of the action: releases from a server on this machine, checksums, outputs, the summary; the real binary."""

from __future__ import annotations

import hashlib
import io
import json
import os
import platform
import re
import subprocess
import sys
import tarfile
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml
from conftest import SQL_INJECTION, advisory

FOLDER = Path(__file__).resolve().parent
NAME = f"vulnlens-9.9.9-{platform.machine()}-unknown-linux-musl.tar.gz"

linux = pytest.mark.skipif(platform.system() != "Linux", reason="the archive of the test is one for Linux")


class Step:
    """The step in a folder of its own, as GitHub starts it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.output, self.summary = folder / "output", folder / "summary"

    def run(self, files: str, **inputs: str) -> subprocess.CompletedProcess[str]:
        variables = {f"ENRICH_{name.upper()}": value for name, value in {"files": files, **inputs}.items()}
        given = {
            "PATH": os.environ["PATH"],
            "GITHUB_OUTPUT": str(self.output),
            "GITHUB_STEP_SUMMARY": str(self.summary),
        }
        command = [sys.executable, str(FOLDER / "enrich.py")]
        return subprocess.run(
            command, cwd=self.folder, env=given | variables, capture_output=True, text=True, timeout=120
        )

    def outputs(self) -> dict[str, str]:
        return dict(line.split("=", 1) for line in self.output.read_text(encoding="utf-8").splitlines())


@pytest.fixture
def step(tmp_path: Path) -> Step:
    folder = tmp_path / "work"
    folder.mkdir()
    return Step(folder)


Document = Callable[..., Path]


@pytest.fixture
def document(step: Step) -> Document:
    """Writes a document for the stub."""

    def written(name: str, summary: str, code: int = 0, **more: object) -> Path:
        path = step.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"is": "before", "summary": summary, "code": code, **more}), encoding="utf-8")
        return path

    return written


def test_outputs_and_summary(step: Step, document: Document, stub: Path) -> None:
    first = document("a.json", "2 filled, 1 had a weakness, 3 left (below the bound, or discouraged by CWE), 4 unsure")
    second = document("in/b.json", "0 filled, 1 without a text", options=["--min-score=0.8", "--model=accurate"])
    document("a.json.txt", "9 filled")
    assert step.run("a.json\n", binary=str(stub)).returncode == 0
    step.output.unlink()
    step.summary.unlink()
    ended = step.run("*.json\n in/**/*.json \n\na.json", binary=str(stub), min_score="0.8", model="accurate")
    assert ended.returncode == 0, ended.stdout
    assert {key: count for key, count in step.outputs().items() if count != "0"} == {
        "files": "2", "total": "11", "filled": "2", "had": "1", "left": "3", "unsure": "4", "without_text": "1",
    }  # fmt: skip
    rows = step.summary.read_text(encoding="utf-8").splitlines()[2:]
    assert rows[0] == "| document | filled | had a weakness | left | unsure | without a text |"
    assert rows[2:] == ["| `a.json` | 2 | 1 | 3 | 4 | 0 |", f"| `{Path('in/b.json')}` | 0 | 0 | 0 | 0 | 1 |"]
    assert "after" in first.read_text() and "after" in second.read_text()


def test_the_outputs_of_the_action() -> None:
    action = yaml.safe_load((FOLDER / "action.yml").read_text(encoding="utf-8"))
    (only,) = action["runs"]["steps"]
    assert only["env"] == {
        f"ENRICH_{name.upper().replace('-', '_')}": f"${{{{ inputs.{name} }}}}" for name in action["inputs"]
    }
    # Nothing but variables stands in the command, which an input could otherwise write.
    assert "${{" not in only["run"]
    for name, output in action["outputs"].items():
        assert output["value"] == f"${{{{ steps.{only['id']}.outputs.{name} }}}}"
    example = yaml.safe_load((FOLDER / "example.yml").read_text(encoding="utf-8"))
    steps = example["jobs"]["scan"]["steps"]
    (used,) = [one for one in steps if one.get("uses", "").startswith("vulnlens/vulnlens/integrations/github-action@")]
    assert set(used["with"]) <= set(action["inputs"])
    named = re.findall(rf"steps\.{used['id']}\.outputs\.(\w+)", json.dumps(steps))
    assert named and set(named) <= set(action["outputs"])


def test_an_output_folder(step: Step, document: Document, stub: Path) -> None:
    path = document("in/b.json", "1 filled")
    assert step.run("in/b.json", binary=str(stub), output_folder="out").returncode == 0
    assert "before" in path.read_text() and "after" in (step.folder / "out/in/b.json").read_text()
    outside = step.folder.parent / "c.json"
    outside.write_bytes(path.read_bytes())
    assert step.run(str(outside), binary=str(stub), output_folder="out").returncode == 0
    assert (step.folder / "out/c.json").is_file()


def test_findings_that_fail(step: Step, document: Document, stub: Path) -> None:
    document("a.json", "1 filled, 1 left (below the bound)", 7, options=["--fail-on=left,bad"])
    ended = step.run("a.json", binary=str(stub), fail_on="left, bad")
    assert ended.returncode == 1 and "::error file=a.json::" in ended.stdout
    assert step.outputs()["left"] == "1"


def test_a_document_that_fails_loses_no_other(step: Step, document: Document, stub: Path) -> None:
    document("a.json", "is damaged", 3, lines=["::warning::a command", "##[warning]another"])
    document("b.json", "1 filled")
    ended = step.run("?.json", binary=str(stub))
    assert ended.returncode == 1 and step.outputs()["filled"] == "1"
    told = "::warning::a command%0A##[warning]another%0Aa.json: is damaged"
    assert f"\n::error file=a.json::{told}\n" in ended.stdout
    # No line of a document's is a command by itself.
    assert not [line for line in ended.stdout.splitlines() if line.startswith(("::warning", "##["))]
    assert "| `a.json` | failed |" in step.summary.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("files", "inputs", "told"),
    [
        ("", {}, "files: there is no path"),
        ("nothing.json", {}, "files: 'nothing.json' leads to no file"),
        ("a.json", {"fail_on": "much"}, "fail-on: 'much' is not one of unsure, left, bad"),
        ("a.json", {"binary": "/no/vulnlens"}, "there is no command '/no/vulnlens'"),
        ("a.json", {"version": "latest"}, "version: 'latest' is not a release such as 0.1.0"),
        ("a.json", {"version": "9.9.9", "releases": "http://127.0.0.1:9"}, "cannot be fetched"),
    ],
)
def test_inputs_that_make_no_sense(
    step: Step, document: Document, files: str, inputs: dict[str, str], told: str
) -> None:
    document("a.json", "1 filled")
    ended = step.run(files, **inputs)
    assert ended.returncode == 1 and ended.stdout.startswith("::error::") and told in ended.stdout, ended.stdout


@pytest.fixture
def releases(tmp_path: Path, stub: Path) -> Iterator[tuple[str, Path]]:
    """A server of a release whose program is the stub, and the folder that it serves."""
    folder = tmp_path / "releases" / "v9.9.9"
    folder.mkdir(parents=True)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as files:
        files.add(FOLDER / "action.yml", "vulnlens-9.9.9/README.md")
        files.add(stub, "vulnlens-9.9.9/vulnlens")
    (folder / NAME).write_bytes(packed.getvalue())
    digest = hashlib.sha256(packed.getvalue()).hexdigest()
    (folder / "SHA256SUMS").write_text(f"{'0' * 64}  other.tar.gz\n{digest}  {NAME}\n", encoding="utf-8")

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder.parent)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", folder
    server.shutdown()
    server.server_close()


@linux
def test_a_release_is_installed(step: Step, document: Document, releases: tuple[str, Path]) -> None:
    url, folder = releases
    digest = hashlib.sha256((folder / NAME).read_bytes()).hexdigest()
    document("a.json", "1 filled")
    for inputs in ({}, {"sha256": digest.upper()}):
        ended = step.run("a.json", version="v9.9.9", releases=url, **inputs)
        assert ended.returncode == 0, ended.stdout
        assert f"installed vulnlens 9.9.9 ({digest})" in ended.stdout


@linux
def test_a_checksum_that_differs(step: Step, document: Document, releases: tuple[str, Path]) -> None:
    url, folder = releases
    document("a.json", "1 filled")
    ended = step.run("a.json", version="9.9.9", releases=url, sha256="0" * 64)
    assert ended.returncode == 1 and "nothing of it is run" in ended.stdout
    archive = folder / NAME
    archive.write_bytes(archive.read_bytes() + b"x")
    ended = step.run("a.json", version="9.9.9", releases=url)
    assert ended.returncode == 1 and "nothing of it is run" in ended.stdout
    (folder / "SHA256SUMS").write_text(f"{'0' * 64}  other.tar.gz\n", encoding="utf-8")
    ended = step.run("a.json", version="9.9.9", releases=url)
    assert ended.returncode == 1 and f"SHA256SUMS: has no line for {NAME}" in ended.stdout
    assert not step.output.exists()


def test_an_advisory_and_a_report_are_enriched(step: Step, enriching: Path) -> None:
    (step.folder / "advisory.json").write_text(json.dumps(advisory()), encoding="utf-8")
    rule = {"id": "R1", "fullDescription": {"text": SQL_INJECTION}}
    result = {"ruleId": "R1", "message": {"text": "The id parameter reaches a query."}}
    run = {"tool": {"driver": {"name": "scanner", "rules": [rule]}}, "results": [result]}
    report = {"version": "2.1.0", "$schema": "https://json.schemastore.org/sarif-2.1.0.json", "runs": [run]}
    (step.folder / "report.sarif").write_text(json.dumps(report), encoding="utf-8")
    ended = step.run("advisory.json\nreport.sarif", binary=str(enriching), model="fast")
    assert ended.returncode == 0, ended.stdout
    filled = json.loads((step.folder / "advisory.json").read_text(encoding="utf-8"))
    assert filled["database_specific"]["cwe_ids"] == ["CWE-89"]
    assert "external/cwe/cwe-089" in (step.folder / "report.sarif").read_text(encoding="utf-8")
    assert step.outputs()["filled"] == "2" and step.outputs()["files"] == "2"
    again = step.run("advisory.json\nreport.sarif", binary=str(enriching), model="fast")
    assert again.returncode == 0 and "had=2" in step.output.read_text(encoding="utf-8")


def test_a_binary_without_the_command(step: Step, document: Document, tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.write_text("#!/bin/sh\necho \"error: unrecognized subcommand 'enrich'\" >&2\nexit 2\n", encoding="utf-8")
    old.chmod(0o755)
    document("a.json", "1 filled")
    ended = step.run("a.json", binary=str(old))
    assert ended.returncode == 1 and "has no `enrich`; install a newer release" in ended.stdout
