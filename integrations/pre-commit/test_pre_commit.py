"""The hook, by a stub and by the real binary: what it changes, says and passes over; pre-commit itself runs it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from conftest import advisory

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parent.parent
HOOK = FOLDER / "vulnlens_enrich.py"


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The hook in a folder."""
    return subprocess.run(
        [sys.executable, str(HOOK), *arguments], cwd=folder, capture_output=True, text=True, timeout=120
    )


def document(folder: Path, name: str, summary: str, code: int = 0, **more: object) -> Path:
    """A document for the stub."""
    path = folder / name
    path.write_text(json.dumps({"is": "before", "summary": summary, "code": code, **more}), encoding="utf-8")
    return path


def test_it_fills_in(tmp_path: Path, stub: Path) -> None:
    first = document(tmp_path, "a.json", "1 filled")
    document(tmp_path, "b.json", "0 filled, 2 had a weakness", options=["--min-score=0.8"])
    ended = run(tmp_path, "--binary", str(stub), "--min-score", "0.8", "b.json")
    assert (ended.returncode, ended.stdout) == (0, "")
    ended = run(tmp_path, "--binary", str(stub), "a.json")
    assert ended.returncode == 1 and ended.stdout.startswith(
        "a.json: filled in the weaknesses of 1 finding; look at them"
    )
    assert "after" in first.read_text(encoding="utf-8")


def test_it_checks(tmp_path: Path, stub: Path) -> None:
    first = document(tmp_path, "a.json", "2 filled")
    document(tmp_path, "b.json", "0 filled, 1 unsure")
    ended = run(tmp_path, "--check", "--binary", str(stub), "a.json", "b.json")
    assert ended.returncode == 1
    assert ended.stdout.splitlines() == [
        "a.json: 2 findings without a weakness that the text tells; run `vulnlens enrich a.json -o a.json`"
    ]
    assert (
        "before" in first.read_text(encoding="utf-8")
        and run(tmp_path, "--check", "--binary", str(stub)).returncode == 0
    )


@pytest.mark.parametrize(("summary", "code"), [("is damaged", 3), ("0 filled, 1 bad", 4)])
def test_it_says_what_cannot_be_read(tmp_path: Path, stub: Path, summary: str, code: int) -> None:
    document(tmp_path, "a.json", summary, code, lines=["a.json:1: the value is not an object"])
    ended = run(tmp_path, "--check", "--binary", str(stub), "a.json")
    assert ended.returncode == 1 and "a.json:1: the value is not an object" in ended.stdout


def test_there_is_no_vulnlens(tmp_path: Path) -> None:
    document(tmp_path, "a.json", "1 filled")
    ended = run(tmp_path, "--binary", "no-vulnlens", "a.json")
    assert ended.returncode == 1 and ended.stderr.startswith("there is no command 'no-vulnlens'; install the binary")


def test_an_advisory(tmp_path: Path, enriching: Path) -> None:
    path = tmp_path / "advisory.json"
    path.write_text(json.dumps(advisory(), indent=2), encoding="utf-8")
    before = path.read_bytes()
    options = ("--binary", str(enriching), "--model", "fast", "advisory.json")
    assert run(tmp_path, "--check", *options).returncode == 1
    assert path.read_bytes() == before
    assert run(tmp_path, *options).returncode == 1
    assert json.loads(path.read_bytes())["database_specific"]["cwe_ids"] == ["CWE-89"]
    for ended in (run(tmp_path, "--check", *options), run(tmp_path, *options)):
        assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def test_an_advisory_that_tells_nothing(tmp_path: Path, enriching: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(advisory(details="An unspecified issue.")), encoding="utf-8")
    assert run(tmp_path, "--check", "--binary", str(enriching), "--model", "fast", "a.json").returncode == 0


def test_the_description_of_the_hook() -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    entry = ROOT / hook["entry"]
    assert entry == HOOK and os.access(entry, os.X_OK) and hook["language"] == "script"


def test_pre_commit_runs_it(tmp_path: Path, stub: Path) -> None:
    pytest.importorskip("pre_commit", reason="pre-commit is not installed")
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    hooks, advisories = tmp_path / "hooks", tmp_path / "advisories"

    def git(folder: Path, *arguments: str) -> None:
        identity = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)

    for folder in (hooks, advisories):
        folder.mkdir()
        git(folder, "init", "--quiet")
    shutil.copy(ROOT / ".pre-commit-hooks.yaml", hooks)
    for part in ("client/vulnlens_client", "pre-commit"):
        shutil.copytree(ROOT / "integrations" / part, hooks / "integrations" / part)
    git(hooks, "add", ".")
    git(hooks, "commit", "--quiet", "-m", "hooks")
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=hooks, check=True, capture_output=True, text=True)
    hook = {"id": "vulnlens-enrich", "files": "^a.*\\.json$", "args": ["--check", f"--binary={stub}"]}
    config = {"repos": [{"repo": str(hooks), "rev": head.stdout.strip(), "hooks": [hook]}]}
    (advisories / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    document(advisories, "a.json", "1 filled")
    document(advisories, "other.json", "9 filled")
    git(advisories, "add", ".")
    environment = {**os.environ, "PRE_COMMIT_HOME": str(tmp_path / "home")}
    command = [sys.executable, "-m", "pre_commit", "run", "--all-files"]
    ended = subprocess.run(command, cwd=advisories, env=environment, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 1 and "a.json: 1 finding without a weakness" in ended.stdout, ended.stdout + ended.stderr
    assert "other.json" not in ended.stdout
    document(advisories, "a.json", "0 filled, 1 had a weakness")
    git(advisories, "add", ".")
    ended = subprocess.run(command, cwd=advisories, env=environment, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stdout + ended.stderr
