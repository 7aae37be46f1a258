"""The connector with pycti's own classes: messages as OpenCTI sends them, and a platform that answers from recordings.

`recordings/platform.json` has the data of each GraphQL operation by its name, in the form that pycti asks for.
"""

from __future__ import annotations

import copy
import importlib.util
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pycti", reason="pycti is not installed")

import stix2
import yaml
from conftest import API_KEY
from pycti import AttackPattern, OpenCTIConnectorHelper
from pycti.connector.opencti_connector_helper import ListenQueue
from vulnlens_opencti.connector import VulnlensConnector
from vulnlens_opencti.settings import SettingError, Settings
from vulnlens_opencti.stix import EXTENSION

FOLDER = Path(__file__).resolve().parent
OPERATION = re.compile(r"\b(?:query|mutation)\s+(\w+)")


def recorded(name: str) -> Any:
    """A recording."""
    return json.loads((FOLDER / "recordings" / f"{name}.json").read_text(encoding="utf-8"))


class Platform:
    """OpenCTI's GraphQL on this machine: it answers from recordings, and keeps what it was asked."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = recorded("platform")
        self.asked: list[tuple[str, dict[str, Any]]] = []
        platform = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                named = OPERATION.search(body["query"])
                name = named[1] if named else ""
                platform.asked.append((name, body.get("variables") or {}))
                errors = [{"name": "UNKNOWN", "message": f"{name} is not recorded"}]
                found = {"data": platform.answers[name]} if name in platform.answers else {"errors": errors}
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(json.dumps(found).encode())

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    @property
    def vulnerability(self) -> dict[str, Any]:
        """The vulnerability that it has, to be changed by a test."""
        found: dict[str, Any] = self.answers["Vulnerability"]["vulnerability"]
        return found

    def variables(self, operation: str) -> list[dict[str, Any]]:
        """The variables of each call of an operation."""
        return [variables for name, variables in self.asked if name == operation]

    def told(self) -> tuple[str, bool]:
        """The message of the work, and true if it is an error."""
        (variables,) = self.variables("workToProcessed")
        return variables["message"], variables["inError"]


Bundle = dict[str, Any]


class Connector:
    """The connector with the helper of pycti, which sends bundles to the platform itself in place of a queue."""

    def __init__(self, platform: Platform, **vulnlens: Any) -> None:
        self.platform = platform
        config = {
            "opencti": {"url": platform.url, "token": "token"},
            "connector": {
                "id": "7b3a4f3e-50d6-4f2c-9d7a-58a6fa3f6b10",
                "name": "vulnlens",
                "type": "INTERNAL_ENRICHMENT",
                "scope": "Vulnerability",
                "queue_protocol": "api",
                "run_and_terminate": True,
            },
            "vulnlens": vulnlens,
        }
        self.helper = OpenCTIConnectorHelper(config, playbook_compatible=True)
        self.connector = VulnlensConnector(self.helper, Settings.read(config))
        self.queue = ListenQueue(
            self.helper, "token", config, self.helper.connector_config, self.helper.applicant_id, "AMQP", False, "", 0,
            self.connector.process,
        )  # fmt: skip

    def receive(self, message: dict[str, Any]) -> None:
        """Has pycti handle a message, as from the queue."""
        # What is between the queue and the callback, without a queue.
        self.queue._data_handler(copy.deepcopy(message))

    def bundles(self) -> list[Bundle]:
        """The bundles that were sent to the workers."""
        return [json.loads(variables["bundle"]) for variables in self.platform.variables("StixBundlePush")]


@pytest.fixture
def platform() -> Iterator[Platform]:
    """A platform with its recordings."""
    found = Platform()
    hook = sys.excepthook
    yield found
    sys.excepthook = hook
    found.server.shutdown()
    found.server.server_close()


Start = Callable[..., Connector]


@pytest.fixture
def start(platform: Platform, server: str) -> Start:
    """Starts a connector that asks the server, unless told otherwise."""

    def started(**vulnlens: Any) -> Connector:
        return Connector(platform, **{"url": server, **vulnlens})

    return started


def by_type(bundle: Bundle, kind: str) -> list[dict[str, Any]]:
    return [one for one in bundle["objects"] if one["type"] == kind]


def test_a_vulnerability_is_enriched(start: Start, platform: Platform) -> None:
    connector = start()
    connector.receive(recorded("enrichment"))
    message, is_error = platform.told()
    assert not is_error and message.startswith("Sent 1 weakness and "), message
    (bundle,) = connector.bundles()

    (vulnerability,) = by_type(bundle, "vulnerability")
    assert vulnerability["x_opencti_cwe"] == ["CWE-89"]
    assert vulnerability["labels"] == ["shop", "vulnlens:predicted-cwe"]
    assert vulnerability["description"] == platform.vulnerability["description"]
    assert vulnerability["confidence"] == 80 and vulnerability["x_opencti_cvss_base_score"] == 8.2

    (author,) = [one for one in by_type(bundle, "identity") if one["name"] == "vulnlens"]
    relationships = by_type(bundle, "relationship")
    patterns = {one["id"]: one for one in by_type(bundle, "attack-pattern")}
    kinds = set()
    for relationship in relationships:
        assert relationship["source_ref"] == vulnerability["id"]
        assert relationship["relationship_type"] == "related-to"
        assert relationship["created_by_ref"] == author["id"]
        assert relationship["object_marking_refs"] == vulnerability["object_marking_refs"]
        assert 0 < relationship["confidence"] <= 60
        predicted, kind = relationship["labels"]
        assert predicted == "vulnlens:predicted"
        kinds.add((kind, patterns[relationship["target_ref"]]["x_mitre_id"].split("-")[0][0]))
    assert kinds == {("vulnlens:curated", "T"), ("vulnlens:derived", "C")}
    assert len(patterns) == len(relationships)

    exploit = patterns[AttackPattern.generate_id("Exploit Public-Facing Application", "T1190")]
    assert exploit["name"] == "Exploit Public-Facing Application" and exploit["confidence"] == 1
    (note,) = by_type(bundle, "note")
    assert note["object_refs"] == [vulnerability["id"]] and note["labels"] == ["vulnlens:predicted"]
    assert "| weakness | CWE-89 " in note["content"] and "not confirmed by a person" in note["content"]


def test_bundles_are_stix(start: Start) -> None:
    connector = start()
    connector.receive(recorded("enrichment"))
    (bundle,) = connector.bundles()
    for one in bundle["objects"]:
        stix2.parse(one, allow_custom=True, version="2.1")


def test_the_same_answer_is_the_same_bundle(start: Start) -> None:
    connector = start()
    connector.receive(recorded("enrichment"))
    connector.receive(recorded("enrichment"))
    first, second = connector.bundles()
    assert first["objects"] == second["objects"]


def test_relationships_of_others_stay(start: Start) -> None:
    connector = start()
    connector.receive(recorded("enrichment"))
    (bundle,) = connector.bundles()
    ids = {one["x_mitre_id"] for one in by_type(bundle, "attack-pattern")}
    # The analyst's own relationship to T1059 is not touched; the one to T1190 is ours.
    assert "T1059" not in ids and "T1190" in ids


def test_weaknesses_stay(start: Start, platform: Platform) -> None:
    platform.vulnerability["x_opencti_cwe"] = ["CWE-20"]
    connector = start(derived="none")
    connector.receive(recorded("enrichment"))
    (bundle,) = connector.bundles()
    (vulnerability,) = by_type(bundle, "vulnerability")
    assert vulnerability["x_opencti_cwe"] == ["CWE-20"] and vulnerability["labels"] == ["shop"]
    assert {one["labels"][1] for one in by_type(bundle, "relationship")} == {"vulnlens:curated"}


def test_confidence_is_bounded(start: Start) -> None:
    connector = start(max_confidence=15)
    connector.receive(recorded("enrichment"))
    (bundle,) = connector.bundles()
    assert {one["confidence"] for one in by_type(bundle, "relationship")} == {15}


def test_tlp_above_the_bound(start: Start, platform: Platform) -> None:
    connector = start(max_tlp="TLP:GREEN")
    connector.receive(recorded("enrichment"))
    message, is_error = platform.told()
    assert message == "Passed over: TLP:AMBER is above VULNLENS_MAX_TLP, TLP:GREEN" and not is_error
    assert not connector.bundles()


@pytest.mark.parametrize(
    ("description", "told"),
    [
        (None, "Passed over: CVE-2024-0001 has no description to read"),
        ("  \n ", "Passed over: CVE-2024-0001 has no description to read"),
        ("Fixed a typo in the manual.", "Nothing to add: "),
    ],
)
def test_nothing_to_add(start: Start, platform: Platform, description: str | None, told: str) -> None:
    platform.vulnerability["description"] = description
    connector = start()
    connector.receive(recorded("enrichment"))
    message, is_error = platform.told()
    assert message.startswith(told) and not is_error
    assert not connector.bundles()


def test_a_description_of_ten_megabytes(start: Start, platform: Platform) -> None:
    platform.vulnerability["description"] += " It is a shop." * 750_000
    connector = start()
    connector.receive(recorded("enrichment"))
    (bundle,) = connector.bundles()
    (note,) = by_type(bundle, "note")
    assert "Only the beginning of the description was read" in note["content"]


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"url": "http://127.0.0.1:9"}, "http://127.0.0.1:9: the server cannot be reached"),
        ({"url": "not-an-address"}, "'not-an-address' is not the address of a server"),
        ({"model": "nope"}, 'there is no model "nope"'),
    ],
)
def test_errors_are_told_and_end_nothing(start: Start, platform: Platform, settings: dict[str, str], told: str) -> None:
    connector = start(**settings)
    for _ in range(2):
        platform.asked.clear()
        connector.receive(recorded("enrichment"))
        message, is_error = platform.told()
        assert told in message and is_error
    assert not connector.bundles()


def test_a_server_that_comes_later(start: Start, platform: Platform, server: str) -> None:
    connector = start(url="http://127.0.0.1:9")
    connector.receive(recorded("enrichment"))
    assert platform.told()[1]
    connector = start(url=server)
    platform.asked.clear()
    connector.receive(recorded("enrichment"))
    assert not platform.told()[1]


def test_a_key(start: Start, platform: Platform, locked_server: str) -> None:
    start(url=locked_server, api_key=API_KEY).receive(recorded("enrichment"))
    message, is_error = platform.told()
    assert message.startswith("Sent") and not is_error


def test_the_package_in_the_process(start: Start, platform: Platform) -> None:
    if importlib.util.find_spec("vulnlens") is None:
        pytest.skip("the package vulnlens is not installed; build its wheel by tools/wheel.sh")
    start(url="").receive(recorded("enrichment"))
    assert platform.told()[0].startswith("Sent 1 weakness and ")


def test_a_playbook(start: Start, platform: Platform) -> None:
    connector = start()
    message = recorded("playbook")
    connector.receive(message)
    (step,) = platform.variables("PlaybookStepExecution")
    assert json.loads(step["previous_bundle"])["objects"] == message["event"]["bundle"]["objects"]
    bundle = json.loads(step["bundle"])
    (vulnerability,) = by_type(bundle, "vulnerability")
    assert vulnerability["x_opencti_cwe"] == ["CWE-89"] and vulnerability["extensions"][EXTENSION]["cwe"] == ["CWE-89"]
    assert by_type(bundle, "relationship") and by_type(bundle, "note")


def test_relationships_that_cannot_be_read(start: Start, platform: Platform) -> None:
    del platform.answers["StixCoreRelationships"]
    start().receive(recorded("enrichment"))
    message, is_error = platform.told()
    assert "check the rights of the connector's user" in message and is_error
    start().receive(recorded("playbook"))
    (step,) = platform.variables("PlaybookStepExecution")
    assert json.loads(step["bundle"])["objects"] == recorded("playbook")["event"]["bundle"]["objects"]


@pytest.mark.parametrize("settings", [{"url": "http://127.0.0.1:9"}, {"max_tlp": "TLP:CLEAR"}, {"model": "nope"}])
def test_a_playbook_goes_on(start: Start, platform: Platform, settings: dict[str, str]) -> None:
    start(**settings).receive(recorded("playbook"))
    (step,) = platform.variables("PlaybookStepExecution")
    assert json.loads(step["bundle"])["objects"] == recorded("playbook")["event"]["bundle"]["objects"]


def test_a_playbook_with_something_else(start: Start, platform: Platform) -> None:
    message = recorded("playbook")
    message["event"]["entity_type"] = "Tool"
    platform.answers["Tool"] = {"tool": {**platform.vulnerability, "entity_type": "Tool"}}
    message["event"]["bundle"]["objects"][0]["type"] = "tool"
    start().receive(message)
    (step,) = platform.variables("PlaybookStepExecution")
    assert json.loads(step["bundle"])["objects"] == message["event"]["bundle"]["objects"]


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("min_score", "much", "VULNLENS_MIN_SCORE: 'much' is not a number from 0 to 1"),
        ("min_score", "nan", "VULNLENS_MIN_SCORE: 'nan' is not a number from 0 to 1"),
        ("max_confidence", "101", "VULNLENS_MAX_CONFIDENCE: '101' is not a number from 0 to 100"),
        ("max_tlp", "AMBER", "VULNLENS_MAX_TLP: 'AMBER' is not one of TLP:CLEAR, "),
        ("derived", "all", "VULNLENS_DERIVED: 'all' is not one of linked, none"),
    ],
)
def test_settings_that_make_no_sense(monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str) -> None:
    monkeypatch.setenv(f"VULNLENS_{name.upper()}", value)
    with pytest.raises(SettingError, match=re.escape(told)):
        Settings.read({})


def test_the_sample_of_settings() -> None:
    sample = yaml.safe_load((FOLDER / "config.yml.sample").read_text(encoding="utf-8"))
    assert Settings.read(sample) == Settings(url="http://vulnlens:8080")
    compose = yaml.safe_load((FOLDER / "docker-compose.yml").read_text(encoding="utf-8"))
    named = dict(line.split("=", 1) for line in compose["services"]["connector-vulnlens"]["environment"])
    assert named["CONNECTOR_SCOPE"] == sample["connector"]["scope"] == "Vulnerability"
    assert named["CONNECTOR_TYPE"] == sample["connector"]["type"]


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ("vulnlens: { min_score: 2 }", "VULNLENS_MIN_SCORE: '2' is not a number from 0 to 1"),
        ("- a list", "is not a file of sections; see config.yml.sample"),
        ("a: [", "while parsing"),
        ("opencti: { url: ChangeMe }", "A TOKEN must be set"),
    ],
)
def test_a_start_that_fails_says_why(tmp_path: Path, config: str, told: str) -> None:
    (tmp_path / "main.py").write_bytes((FOLDER / "main.py").read_bytes())
    (tmp_path / "config.yml").write_text(config, encoding="utf-8")
    path = os.pathsep.join([str(FOLDER), str(FOLDER.parent / "client")])
    command = [sys.executable, str(tmp_path / "main.py")]
    ended = subprocess.run(command, env={"PYTHONPATH": path}, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 1 and told in ended.stderr, ended.stderr
    assert "Traceback" not in ended.stderr
