"""The connector: a message of OpenCTI in, a bundle out."""

from __future__ import annotations

from typing import Any

from pycti import OpenCTIConnectorHelper
from vulnlens_client import Answer, Asker, Suggestion, VulnlensError, asker

from vulnlens_opencti.settings import Settings
from vulnlens_opencti.stix import AUTHOR, Enricher, Stix, weaknesses_of

#: The attributes of a relationship that tell whose it is.
RELATIONSHIP = """
    id
    createdBy { ... on Identity { id name } }
    to { ... on AttackPattern { id x_mitre_id } }
"""


class VulnlensConnector:
    """Enriches vulnerabilities, alone and in playbooks.

    A vulnerability that cannot be enriched is no failure of a playbook: its bundle goes on as it came. Otherwise, the
    reason is the error of the work that OpenCTI shows.
    """

    def __init__(self, helper: OpenCTIConnectorHelper, settings: Settings) -> None:
        self.helper = helper
        self.settings = settings
        self.enricher = Enricher(settings.max_confidence, settings.derived == "linked")
        self._asker: Asker | None = None

    def run(self) -> None:
        """Listens until the process ends."""
        self.helper.listen(message_callback=self.process)

    def process(self, data: dict[str, Any]) -> str:
        """Answers a message: the sentence that OpenCTI shows for the work."""
        try:
            return self._process(data)
        except VulnlensError as error:
            self.helper.connector_logger.error("Not enriched", {"reason": str(error)})
            if self.helper.playbook is None:
                # pycti reports the error for the work, and goes on with the next message.
                raise
            return self._pass_on(data, str(error))

    def _process(self, data: dict[str, Any]) -> str:
        entity: Stix = data["stix_entity"]
        if entity.get("type") != "vulnerability":
            return self._pass_on(data, f"Passed over: a {entity.get('type')} is not a vulnerability")
        refused = self._refused_marking(data["enrichment_entity"])
        if refused:
            return self._pass_on(data, f"Passed over: {refused} is above VULNLENS_MAX_TLP, {self.settings.max_tlp}")
        text = (entity.get("description") or "").strip()
        if not text:
            return self._pass_on(data, f"Passed over: {entity.get('name')} has no description to read")
        asked = self._ask()
        answer = asked.classify(text, entity.get("name"))
        suggestion = Suggestion.of(answer, asked, self.settings.min_score)
        return self._send(data, answer, suggestion)

    def _ask(self) -> Asker:
        """The asker, made with the first question: a server may start after the connector."""
        if self._asker is None:
            settings = self.settings
            self._asker = asker(settings.url, settings.api_key, settings.model, settings.timeout)
        return self._asker

    def _refused_marking(self, entity: dict[str, Any]) -> str | None:
        """A marking of the entity above the bound, if there is one."""
        for marking in entity.get("objectMarking") or ():
            definition = marking.get("definition")
            is_tlp = marking.get("definition_type") == "TLP"
            if is_tlp and not self.helper.check_max_tlp(definition, self.settings.max_tlp):
                return str(definition)
        return None

    def _send(self, data: dict[str, Any], answer: Answer, suggestion: Suggestion) -> str:
        if answer.is_cut:
            self.helper.connector_logger.warning("Only the beginning of the description was read, which is too long")
        entity: Stix = data["stix_entity"]
        # What the platform has counts, too: the bundle of a playbook may be older.
        has_weakness = bool(data["enrichment_entity"].get("x_opencti_cwe")) and not weaknesses_of(entity)
        if has_weakness:
            suggestion = Suggestion((), suggestion.patterns, suggestion.derived, suggestion.assigned)
        known = self._related_by_others(entity["id"]) if suggestion else ()
        found = self.enricher.enrich(data["stix_objects"], entity["id"], answer, suggestion, known)
        if not found.weaknesses and not found.techniques:
            return self._pass_on(data, f"Nothing to add: {answer.said}")
        self._send_objects(found.objects)
        return (
            f"Sent {_count(found.weaknesses, 'weakness')} and {_count(found.techniques, 'relationship')}: {answer.said}"
        )

    def _related_by_others(self, id: str) -> set[str]:
        """The MITRE ids of the attack patterns that a vulnerability is related to, except by this connector."""
        try:
            found = self.helper.api.stix_core_relationship.list(
                fromId=id,
                toTypes=["Attack-Pattern"],
                relationship_type="related-to",
                customAttributes=RELATIONSHIP,
                getAll=True,
            )
        except ValueError as error:
            message = (
                f"OpenCTI does not tell the relationships of {id} ({error}); check the rights of the connector's user"
            )
            raise VulnlensError(message) from error
        others = (one for one in found or () if (one.get("createdBy") or {}).get("name") != AUTHOR)
        return {one["to"]["x_mitre_id"] for one in others if (one.get("to") or {}).get("x_mitre_id")}

    def _pass_on(self, data: dict[str, Any], message: str) -> str:
        """Sends the bundle of a playbook as it came, and returns the message."""
        self.helper.connector_logger.info(message)
        if self.helper.playbook is not None:
            self._send_objects(data["stix_objects"])
        return message

    def _send_objects(self, objects: list[Stix]) -> None:
        self.helper.send_stix2_bundle(self.helper.stix2_create_bundle(objects))


def _count(count: int, noun: str) -> str:
    plural = f"{noun}es" if noun.endswith("s") else f"{noun}s"
    return f"{count} {noun if count == 1 else plural}"
