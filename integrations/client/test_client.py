"""The client against a real server, against the package in this process, and where nobody answers."""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from conftest import API_KEY, SQL_INJECTION
from vulnlens_client import Asker, Label, Suggestion, VulnlensError, asker
from vulnlens_client.answer import Answer


class Strange(BaseHTTPRequestHandler):
    """A server that is none of vulnlens, as its paths say."""

    def do_POST(self) -> None:
        """Answers by the path."""
        body = {"/elsewhere": b"", "/page": b"<html>", "/list": b"[]", "/other": b'{"records": [{"cwe": [{}]}]}'}
        kind = next(key for key in body if self.path.startswith(key))
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(302 if kind == "/elsewhere" else 200)
        self.send_header("Location", "/list")
        self.end_headers()
        self.wfile.write(body[kind])

    def log_message(self, format: str, *args: object) -> None:
        """Keeps quiet."""


@pytest.fixture
def strange() -> Iterator[str]:
    """The address of a server that is none of vulnlens."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Strange)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_server_answers(server: str) -> None:
    asked = asker(server)
    answer = asked.classify(SQL_INJECTION, "CVE-2024-0001", "2024-02-01T00:00:00.000Z")
    suggestion = Suggestion.of(answer, asked)
    assert [label.id for label in suggestion.weaknesses] == ["CWE-89"]
    assert {label.via[0] for label in suggestion.patterns} == {"CWE-89"}
    assert "T1190" in [label.id for label in suggestion.assigned]
    assert answer.origin.startswith("vulnlens, model fast ") and "CWE 4." in answer.origin


def test_texts_of_cves(server: str) -> None:
    asked = asker(server)
    found = asked.text_of("CVE-2024-0001")
    assert found is not None and found.text == SQL_INJECTION and found.published == "2024-02-01"
    assert asked.text_of("CVE-2024-9999") is None
    assert asked.text_of("../v1/models") is None


def test_the_key_is_sent(locked_server: str) -> None:
    assert asker(locked_server, API_KEY).classify(SQL_INJECTION).outcome == "weaknesses"
    for key in (None, "wrong"):
        with pytest.raises(VulnlensError, match="401.*give the key of the server"):
            asker(locked_server, key).classify(SQL_INJECTION)


def test_long_and_strange_texts(server: str) -> None:
    asked = asker(server)
    answer = asked.classify(f"{SQL_INJECTION} " * 100_000)
    assert answer.is_cut and answer.outcome == "weaknesses"
    # The longest that JSON makes of a character, at the bound of the text.
    assert asked.classify("\x01" * 10_000_000).outcome == "no-text"
    assert asked.classify("\udc80 " + SQL_INJECTION).outcome == "weaknesses"
    assert asked.classify("").outcome == "no-text"


def test_a_model_that_is_not_there(server: str) -> None:
    with pytest.raises(VulnlensError, match='there is no model "nope".*the models here are fast') as caught:
        asker(server, model="nope").classify(SQL_INJECTION)
    assert not caught.value.is_temporary


def test_no_server() -> None:
    with pytest.raises(
        VulnlensError, match="http://127.0.0.1:9: the server cannot be reached.*start `vulnlens serve`"
    ) as caught:
        asker("http://127.0.0.1:9").classify(SQL_INJECTION)
    assert caught.value.is_temporary
    for url in ("127.0.0.1:8080", "file:///etc/passwd", "http://"):
        with pytest.raises(VulnlensError, match="is not the address of a server"):
            asker(url)


@pytest.mark.parametrize("kind", ["page", "list", "other"])
def test_a_server_of_others(strange: str, kind: str) -> None:
    with pytest.raises(VulnlensError, match="the answer is not"):
        asker(f"{strange}/{kind}").classify(SQL_INJECTION)


def test_redirects_are_not_followed(strange: str) -> None:
    with pytest.raises(VulnlensError, match="302: it leads to /list; give the address"):
        asker(f"{strange}/elsewhere", "a key").classify(SQL_INJECTION)


def test_the_package_answers_as_the_server(server: str) -> None:
    if importlib.util.find_spec("vulnlens") is None:
        pytest.skip("the package vulnlens is not installed; build its wheel by tools/wheel.sh")
    inside, outside = asker(model="fast"), asker(server)
    for text in (SQL_INJECTION, "Fixed a typo in the manual", ""):
        answers = [one.classify(text, "CVE-2024-0001") for one in (inside, outside)]
        assert answers[0] == answers[1]
    assert inside.mapping_usage("CWE-20") == outside.mapping_usage("CWE-20") == "Discouraged"
    with pytest.raises(VulnlensError, match="no-such-model"):
        asker(model="no-such-model.safetensors")


class Permitting:
    """An asker that allows mapping to all weaknesses but one."""

    def classify(self, text: str, id: str | None = None, published: str | None = None) -> Answer:
        raise NotImplementedError

    def mapping_usage(self, weakness: str) -> str | None:
        return "Discouraged" if weakness == "CWE-20" else "Allowed"

    def text_of(self, cve: str) -> None:
        return None


def answer_with(outcome: str = "weaknesses") -> Answer:
    """An answer with each kind of label."""
    return Answer(
        model="m", revision="r", releases={}, outcome=outcome, said="",
        weaknesses=(
            Label("CWE-89", "SQL", 0.95, True),
            Label("CWE-20", "Input", 0.99, True),
            Label("CWE-79", "XSS", 0.89, True),
            Label("CWE-22", "Path", 0.99, False),
        ),
        patterns=(
            Label("CAPEC-66", "", 0.95, True, ("CWE-89",), 0),
            Label("CAPEC-13", "", 0.95, True, ("CWE-89", "CWE-74"), 1),
            Label("CAPEC-63", "", 0.95, True, ("CWE-79",), 0),
        ),
        derived=(Label("T1190", "", 0.99, True, ("CWE-89", "CAPEC-66"), 0),),
        assigned=(Label("T1190", "", 0.4, True), Label("T1005", "", 0.1, False)),
    )  # fmt: skip


def test_only_what_is_sure_is_suggested() -> None:
    asked: Asker = Permitting()
    found = Suggestion.of(answer_with(), asked)
    assert [label.id for label in found.weaknesses] == ["CWE-89"]
    assert [label.id for label in found.patterns] == ["CAPEC-66"]
    assert [label.id for label in found.assigned] == ["T1190"]
    assert not found.derived, "a technique that analysts assign is not told twice"
    assert [label.id for label in Suggestion.of(answer_with(), asked, 0.8).weaknesses] == ["CWE-89", "CWE-79"]
    assert not Suggestion.of(answer_with("not-a-vulnerability"), asked)


def test_names_of_sub_techniques() -> None:
    assert Label("T1562.003", "Impair Defenses: Impair Command History Logging", 1, True).own_name.startswith(
        "Impair Comm"
    )
    assert Label("CAPEC-1", "A: b", 1, True).own_name == "A: b"


def test_no_score_is_shown_as_certain() -> None:
    assert [Label("a", "", score, True).shown_score for score in (0.99996, 0.5, 0.0004)] == ["0.999", "0.500", "0.000"]
