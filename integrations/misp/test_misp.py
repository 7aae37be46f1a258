"""The module with the loader, the server and the classes of misp-modules and pymisp, on requests as MISP sends them."""

from __future__ import annotations

import importlib.util
import json
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

misp_modules = pytest.importorskip("misp_modules", reason="misp-modules is not installed")

from conftest import API_KEY, SQL_INJECTION
from pymisp import MISPEvent

FOLDER = Path(__file__).resolve().parent
NAME = "vulnlens_weaknesses"


def recorded(name: str, value: str | None = None, **config: str) -> dict[str, Any]:
    """A recording, with a value and settings of the test."""
    request: dict[str, Any] = json.loads((FOLDER / "recordings" / f"{name}.json").read_text(encoding="utf-8"))
    request["config"] |= config
    if value is not None:
        request["attribute"]["value"] = value
    return request


@pytest.fixture(scope="module")
def module() -> ModuleType:
    """The module, found and imported as misp-modules does."""
    ((_, found),) = misp_modules.iterate_modules(FOLDER)
    imported: ModuleType = misp_modules.import_from_path(NAME, str(FOLDER / "expansion" / found.name))
    return imported


def ask(module: ModuleType, request: Any) -> dict[str, Any]:
    """The module's answer, which has to be JSON."""
    answer: dict[str, Any] = json.loads(json.dumps(module.handler(q=json.dumps(request))))
    return answer


def event_of(answer: dict[str, Any]) -> MISPEvent:
    """The results as an event of pymisp, which checks types, categories and templates."""
    event = MISPEvent()
    event.from_dict(info="results", **answer["results"])
    return event


def check(event: MISPEvent, uuid: str) -> None:
    """Weakness and patterns are objects that refer to the attribute, techniques are tagged, all have scores."""
    (weakness,) = event.get_objects_by_name("weakness")
    assert weakness.get_attributes_by_relation("id")[0].value == "CWE-89"
    patterns = event.get_objects_by_name("attack-pattern")
    assert "66" in [pattern.get_attributes_by_relation("id")[0].value for pattern in patterns]
    for one in (weakness, *patterns):
        assert one.comment.startswith("predicted, score 0.9") and "vulnlens, model fast" in one.comment
        (reference,) = one.references
        assert (reference.referenced_uuid, reference.relationship_type) == (uuid, "related-to")
    tags = {tag.name: attribute for attribute in event.attributes for tag in attribute.tags}
    exploit = tags['misp-galaxy:mitre-attack-pattern="Exploit Public-Facing Application - T1190"']
    assert exploit.value == "T1190 Exploit Public-Facing Application" and not exploit.to_ids
    assert "predicted, score 0." in exploit.comment and "analysts assign it" in exploit.comment


@pytest.mark.parametrize("kind", ["text", "vulnerability"])
def test_an_attribute_is_answered(module: ModuleType, server: str, kind: str) -> None:
    request = recorded(kind, url=server)
    event = event_of(ask(module, request))
    check(event, request["attribute"]["uuid"])
    given = next(one for one in event.attributes if one.uuid == request["attribute"]["uuid"])
    assert given.value == request["attribute"]["value"] and given.comment == request["attribute"]["comment"]
    assert [tag.name for tag in given.tags] == [tag["name"] for tag in request["attribute"].get("Tag", [])]


def test_a_comment_and_a_key(module: ModuleType, locked_server: str) -> None:
    request = recorded("text", url=locked_server, api_key=API_KEY)
    request["attribute"]["type"] = "comment"
    check(event_of(ask(module, request)), request["attribute"]["uuid"])


def test_the_package_in_the_process(module: ModuleType) -> None:
    if importlib.util.find_spec("vulnlens") is None:
        pytest.skip("the package vulnlens is not installed; build its wheel by tools/wheel.sh")
    request = recorded("text")
    check(event_of(ask(module, request)), request["attribute"]["uuid"])
    assert "there is no text of it" in ask(module, recorded("vulnerability"))["error"]


def test_the_bound(module: ModuleType, server: str) -> None:
    event = event_of(ask(module, recorded("text", url=server, min_score="1")))
    assert not event.objects and len(event.attributes) > 1


def test_a_text_of_ten_megabytes(module: ModuleType, server: str) -> None:
    event = event_of(ask(module, recorded("text", f"{SQL_INJECTION} " * 100_000, url=server)))
    (weakness,) = event.get_objects_by_name("weakness")
    assert "only the beginning of the text was read" in weakness.comment


@pytest.mark.parametrize(
    ("kind", "value", "told"),
    [
        ("text", "Fixed a typo in the manual.", "nothing to add: "),
        ("text", " . ", "nothing to add: "),
        ("vulnerability", "CVE-2024-9999", "CVE-2024-9999: there is no text of it; start `vulnlens serve` with --data"),
        ("vulnerability", "GHSA-0000-0000-0000", "GHSA-0000-0000-0000: there is no text of it"),
    ],
)
def test_nothing_to_add(module: ModuleType, server: str, kind: str, value: str, told: str) -> None:
    assert ask(module, recorded(kind, value, url=server))["error"].startswith(told)


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"url": "http://127.0.0.1:9"}, "http://127.0.0.1:9: the server cannot be reached"),
        ({"url": "lens"}, "'lens' is not the address of a server"),
        ({"min_score": "much"}, "min_score: 'much' is not a number from 0 to 1"),
    ],
)
def test_settings_that_make_no_sense(module: ModuleType, config: dict[str, str], told: str) -> None:
    assert ask(module, recorded("text", **config))["error"].startswith(told)


def test_a_model_that_is_not_there(module: ModuleType, server: str) -> None:
    assert 'there is no model "nope"' in ask(module, recorded("text", url=server, model="nope"))["error"]


@pytest.mark.parametrize("request_", [{}, [], {"attribute": {"type": "text", "uuid": "u"}}, {"text": "an old request"}])
def test_requests_without_an_attribute(module: ModuleType, request_: Any) -> None:
    assert "no attribute with type, uuid and value" in ask(module, request_)["error"]


def test_attributes_of_other_types(module: ModuleType) -> None:
    request = recorded("text")
    request["attribute"]["type"] = "ip-dst"
    assert ask(module, request)["error"].startswith("an attribute of type 'ip-dst' is not answered")
    assert module.handler() is False


@pytest.fixture(scope="module")
def modules_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The server of misp-modules, with the module among its custom ones."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("misp") / "log"
    command = [sys.executable, "-m", "misp_modules", "-l", "127.0.0.1", "-p", str(port), "-c", str(FOLDER)]
    client = FOLDER.parent / "client"
    with log.open("w") as file:
        process = subprocess.Popen(command, env={"PYTHONPATH": str(client)}, stdout=file, stderr=file)
    try:
        url = f"http://127.0.0.1:{port}"
        for _ in range(240):
            assert process.poll() is None, log.read_text()
            try:
                with urllib.request.urlopen(f"{url}/healthcheck"):
                    break
            except OSError:
                time.sleep(0.5)
        else:
            pytest.fail(f"misp-modules did not start: {log.read_text()}")
        yield url
    finally:
        process.terminate()
        process.wait(timeout=30)


def test_misp_modules_serves_it(modules_server: str, server: str) -> None:
    with urllib.request.urlopen(f"{modules_server}/modules") as answer:
        (described,) = [one for one in json.load(answer) if one["name"] == NAME]
    assert described["type"] == "expansion" and described["mispattributes"]["format"] == "misp_standard"
    assert described["meta"]["config"] == ["url", "api_key", "model", "min_score"]
    request = recorded("vulnerability", url=server)
    with urllib.request.urlopen(f"{modules_server}/query", json.dumps(request).encode()) as answer:
        check(event_of(json.load(answer)), request["attribute"]["uuid"])
