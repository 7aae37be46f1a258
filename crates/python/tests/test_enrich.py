"""Documents with the weaknesses that their findings lack."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import vulnlens
from conftest import Command

ADVISORY = """{
  "schema_version": "1.6.0",
  "id": "GHSA-2222-3333-4444",
  "modified": "2024-02-02T00:00:00Z",
  "details": "SQL injection in login.php allows remote attackers to execute SQL commands via the id parameter.",
  "database_specific": {"severity": "HIGH", "cwe_ids": []}
}
"""


def test_a_file_is_filled_as_by_the_command_line(
    model: vulnlens.Classifier, command: Command, tmp_path: Path
) -> None:
    file = tmp_path / "osv.json"
    file.write_text(ADVISORY)
    filled = vulnlens.enrich(file, model=model)
    assert filled.document == command("enrich", str(file)).stdout
    assert filled.summary["filled"] == 1 and filled.problems == ()
    assert vulnlens.enrich(ADVISORY.encode(), model=model).document == filled.document
    again = vulnlens.enrich(filled.document, model=model)
    assert again.document == filled.document and again.summary["had"] == 1
    assert file.read_text() == ADVISORY


def test_an_object_is_filled(model: vulnlens.Classifier) -> None:
    given = json.loads(ADVISORY)
    filled = vulnlens.enrich(given, model=model).document
    assert filled["database_specific"]["cwe_ids"] == ["CWE-89"] and given == json.loads(ADVISORY)
    low = vulnlens.enrich(given, model=model, min_score=1.0).summary
    assert low["left"] == 1 and low["filled"] == 0


def test_another_model_answers() -> None:
    filled = vulnlens.enrich(ADVISORY.encode(), model="accurate")
    assert json.loads(filled.document)["database_specific"]["vulnlens"]["model"] == "accurate"


def test_what_cannot_be_filled_is_told(model: vulnlens.Classifier, tmp_path: Path) -> None:
    with pytest.raises(vulnlens.InputError, match="no-such.json"):
        vulnlens.enrich(tmp_path / "no-such.json", model=model)
    with pytest.raises(vulnlens.InputError, match="neither JSON nor a table"):
        vulnlens.enrich(b"prose", model=model)
    with pytest.raises(vulnlens.ArgumentError, match="min_score"):
        vulnlens.enrich(ADVISORY.encode(), model=model, min_score=2.0)
    with pytest.raises(vulnlens.ArgumentError, match="format"):
        vulnlens.enrich(ADVISORY.encode(), model=model, format="x")
    lines = b'{"id": "a", "description": "SQL injection in login.php via the id parameter."}\n{"id": \n'
    broken = vulnlens.enrich(lines, model=model)
    assert broken.summary["bad"] == 1 and len(broken.problems) == 1
    assert broken.document.endswith(b'\n{"id": \n')
