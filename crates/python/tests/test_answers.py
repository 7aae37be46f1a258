"""Answers: the bytes of the command line, read when they are looked at."""

from __future__ import annotations

import json
import pickle
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import vulnlens
from conftest import Command

TEXT = "SQL injection in login.php via the id parameter."


def test_an_answer_is_the_line_of_the_command_line(model: vulnlens.Classifier, command: Command) -> None:
    line = command("classify", "--format", "jsonl", TEXT).stdout.decode()
    assert model(TEXT).to_json() + "\n" == line
    options = ("--labels", "assigned", "--top-k", "3", "--severity", "--taxonomy", "cwe,curated", "--as-of", "2015")
    line = command("classify", "--format", "jsonl", *options, TEXT).stdout.decode()
    answer = model(
        TEXT, labels="assigned", top_k=3, severity=True, taxonomy=["cwe", "curated"], as_of=2015
    )
    assert answer.to_json() + "\n" == line
    assert answer.to_dict() == json.loads(line)


def test_records_of_a_file_are_answered_as_by_the_command_line(
    model: vulnlens.Classifier, command: Command, records: Path
) -> None:
    lines = command("classify", "--format", "jsonl", "--input", str(records)).stdout.decode().splitlines()
    answers = model(vulnlens.read(records, on_error="skip"))
    assert [answer.to_json() for answer in answers] == lines
    assert len(lines) > 3


def test_evidence_is_that_of_the_command_line(model: vulnlens.Classifier, command: Command) -> None:
    line = command("classify", "--format", "jsonl", "--evidence", TEXT).stdout.decode()
    answer = model.explain(TEXT)
    assert answer.to_json() + "\n" == line
    assert answer.words and answer.paths


def test_a_list_is_answered_like_its_texts(model: vulnlens.Classifier, texts: list[str]) -> None:
    one_thread = vulnlens.Classifier(threads=1)
    answers = model(texts)
    assert answers == one_thread(iter(texts))
    assert [model(text) for text in texts[:20]] == answers[:20]
    assert model([]) == []


def test_what_an_answer_holds(model: vulnlens.Classifier) -> None:
    answer = model("Cross-site scripting (XSS) in the search field", ids="CVE-2021-1", severity=True)
    values = answer.to_dict()
    assert answer.id == "CVE-2021-1"
    assert [label.label for label in answer.cwe] == [label["label"] for label in values["cwe"]]
    assert answer.cwe[0].label == "CWE-79" and answer.cwe[0].predicted and str(answer.cwe[0]) == "CWE-79"
    assert answer.cwe[0].score == values["cwe"][0]["score"]
    assert answer.none == values["none"] and answer.outcomes == values["outcomes"]
    assert answer.outcome == "weaknesses" and answer.said == values["said"]
    assert answer.attack_curated[0].role and answer.attack_curated[0].tactics
    assert answer.capec[0].via[0] == "CWE-79" and answer.capec[0].distance == 0
    assert answer.severity is not None and answer.severity["vector"].startswith("CVSS:3.1/")
    assert (answer.model, len(answer.model_revision)) == ("fast", 12)
    assert "CWE-79" in repr(answer)
    with pytest.raises(AttributeError):
        answer.cwe[0].score = 1.0  # type: ignore[misc]
    values["cwe"].clear()
    assert answer.to_dict()["cwe"], "a dictionary that was handed out is nobody else's"
    assert pickle.loads(pickle.dumps(answer)) == answer


def test_a_family_is_an_answer(model: vulnlens.Classifier, texts: list[str]) -> None:
    families = [answer.family for answer in model(texts) if answer.family]
    for family in families:
        assert family.members and family.members[0].label.startswith("CWE-")


def test_years_come_from_dates_and_ids(model: vulnlens.Classifier) -> None:
    text = "Memory corruption in the parser allows attackers to execute code."
    old, new = model([text, text], published=["1999-01-02", "2024-01-02"])
    assert old.cwe != new.cwe
    by_id, by_date = model([text, text], ids=["CVE-1999-0001", "x"], published=[None, "1999-05-05"])
    assert by_id.cwe == by_date.cwe == old.cwe
    assert model(text, published="1999-01-02").cwe == old.cwe
    assert model(text, as_of=1999).cwe == old.cwe


def test_html_is_escaped(model: vulnlens.Classifier) -> None:
    shown = model("SQL injection", ids="<script>alert(1)</script>")._repr_html_()
    assert "<script>" not in shown and "&lt;script&gt;" in shown and "CWE-89" in shown
    record = json.loads(model("SQL injection").to_json())
    record["cwe"][0]["name"] = "<img src=x onerror=alert(1)>"
    assert "<img" not in vulnlens.Answer(json.dumps(record).encode())._repr_html_()


def test_halves_of_characters_and_long_texts_are_answered(model: vulnlens.Classifier) -> None:
    assert model("SQL injection \ud800 in login.php").cwe[0].label == "CWE-89"
    assert model("SQL injection in login.php. " * 100_000).cwe[0].label == "CWE-89"
    assert model(["SQL injection", " "])[1].outcome == "no-text"


def test_errors_name_what_is_wrong(model: vulnlens.Classifier, command: Command) -> None:
    cases = [
        (lambda: model("  "), vulnlens.InputError, "the text is empty"),
        (lambda: model("x", labels="y"), vulnlens.ArgumentError, "recommended"),  # type: ignore[call-overload]
        (lambda: model("x", top_k=0), vulnlens.ArgumentError, "a number from 1"),
        (lambda: model("x", threshold=2.0), vulnlens.ArgumentError, "threshold"),
        (lambda: model("x", taxonomy="cve"), vulnlens.ArgumentError, "taxonomy"),  # type: ignore[call-overload]
        (lambda: model(["x"], ids=[]), vulnlens.ArgumentError, "ids"),
        (lambda: vulnlens.Classifier("/no/such/model.bin"), vulnlens.ModelError, "there is no model"),
        (lambda: vulnlens.Classifier(kb="/no/such.kb"), vulnlens.ModelError, "/no/such.kb"),
        (lambda: vulnlens.Classifier(threads=0), vulnlens.ArgumentError, "threads"),
        (lambda: vulnlens.read("/no/such/file.jsonl"), vulnlens.InputError, "/no/such/file.jsonl"),
        (lambda: vulnlens.kb.show("CWE-99999"), vulnlens.InputError, "does not know CWE-99999"),
        (lambda: vulnlens.kb.show("x"), vulnlens.ArgumentError, "x"),
        (lambda: vulnlens.kb.path("T1027", "CWE-79"), vulnlens.ArgumentError, "a way leads from"),
        (lambda: model.labels("x"), vulnlens.ArgumentError, "cwe, capec"),  # type: ignore[arg-type]
    ]
    for call, kind, words in cases:
        with pytest.raises(kind) as caught:
            call()
        assert isinstance(caught.value, vulnlens.Error) and words in str(caught.value)
    with pytest.raises(vulnlens.ModelError) as missing:
        vulnlens.Classifier("/no/such/model.bin")
    said = command("classify", "--model", "/no/such/model.bin", "SQL injection").stderr.decode().splitlines()
    assert said == [f"error: {missing.value.message}", f"hint: {missing.value.hint}"]
    again = pickle.loads(pickle.dumps(missing.value))
    assert (again.message, again.hint) == (missing.value.message, missing.value.hint)
    with pytest.raises(TypeError):
        model([None])  # type: ignore[list-item]


def test_the_network_is_not_asked_unless_it_may_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    # Whoever asks it there gets no answer.
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(vulnlens.ModelError, match="nobody/nothing") as offline:
        vulnlens.Classifier("nobody/nothing")
    with pytest.raises(vulnlens.ModelError) as online:
        vulnlens.Classifier("nobody/nothing", offline=False)
    assert "127.0.0.1:9" in str(online.value) and "127.0.0.1:9" not in str(offline.value)


def test_pipelines_have_the_shapes_of_transformers(model: vulnlens.Classifier) -> None:
    text = "Cross-site scripting in the search field."
    every = model.pipeline(text, top_k=None)
    assert len(every) == len(model.labels("cwe")) and set(every[0]) == {"label", "score"}
    scores = [row["score"] for row in every]  # type: ignore[call-overload]
    assert scores == sorted(scores, reverse=True)
    [one] = model.pipeline(text, top_k=1)
    assert one == every[0] and isinstance(one["score"], float)  # type: ignore[call-overload]
    assert model.pipeline(text) == [one]
    assert model.pipeline([text, text]) == [one, one]
    assert model.pipeline([text, text], top_k=2) == [every[:2], every[:2]]


def test_probabilities_are_those_of_the_answers(model: vulnlens.Classifier, texts: list[str]) -> None:
    numpy = pytest.importorskip("numpy")
    for space in ("cwe", "capec", "attack", "curated"):
        labels = model.labels(space)  # type: ignore[arg-type]
        assert len(labels) == len(set(labels)) > 20
        scores = model.probabilities(texts[:50], space)  # type: ignore[arg-type]
        assert scores.shape == (50, len(labels)) and scores.dtype == numpy.float32
        key = "attack_curated" if space == "curated" else space
        answers = model(texts[:50], top_k="all", threshold=0.0, taxonomy=space)  # type: ignore[call-overload]
        for row, answer in zip(scores, answers):
            listed = {label.label: label.score for label in getattr(answer, key)}
            # Where the answer is a family, what follows from it alone is listed.
            assert set(listed) == set(labels) or answer.outcome != "weaknesses" and set(listed) < set(labels)
            wanted = [listed.get(label, 0.0) for label in labels]
            assert numpy.allclose(row, wanted, atol=6e-7)
    numbers = [int(label.removeprefix("CWE-")) for label in model.labels("cwe")]
    assert numbers == sorted(numbers)
    one = model.probabilities("SQL injection in login.php", "cwe")
    assert model.labels("cwe")[one[0].argmax()] == "CWE-89"
    assert model.probabilities([], "cwe").shape == (0, len(model.labels("cwe")))


def test_a_call_costs_little_beyond_the_answer() -> None:
    """What Python adds to a call is below 20 µs, and nothing of a record is read before it is looked at."""
    model = vulnlens.Classifier(threads=1)
    bare = model._question((None, None, None, None, None, False, False))
    text = "SQL injection in login.php via the id parameter."

    def seconds(call: Callable[[], object]) -> float:
        began = time.thread_time()
        for _ in range(100):
            call()
        return (time.thread_time() - began) / 100

    # The machine is never quiet: the least of many is the time that it takes.
    rounds = [(seconds(lambda: model(text)), seconds(lambda: bare.answer(text, None, None))) for _ in range(25)]
    added = min(call for call, _ in rounds) - min(native for _, native in rounds)
    assert added < 20e-6, added
    assert model(text)._read is None
