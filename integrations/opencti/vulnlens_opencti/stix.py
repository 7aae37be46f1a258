"""STIX 2.1 objects of a suggestion: what is new, next to what OpenCTI sent."""

from __future__ import annotations

import copy
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from pycti import AttackPattern, Identity, Note, StixCoreRelationship
from vulnlens_client import Answer, Label, Suggestion

Stix = dict[str, Any]

AUTHOR = "vulnlens"
#: The date of the author, which is the same in every bundle.
AUTHOR_CREATED = "2026-01-01T00:00:00.000Z"
#: The label of all that is sent: no person has said it.
PREDICTED = "vulnlens:predicted"
#: The label of a vulnerability whose weaknesses were filled in.
PREDICTED_CWE = "vulnlens:predicted-cwe"
#: The labels of relationships by where the technique comes from.
ASSIGNED = "vulnlens:curated"
DERIVED = "vulnlens:derived"
#: OpenCTI changes a field that is filled only for data of at least the same confidence: with the least one, techniques
#: that the platform has keep their names.
LEAST_CONFIDENCE = 1
#: The extension of OpenCTI in objects of a platform, which has the weaknesses of a vulnerability as ``cwe``.
EXTENSION = "extension-definition--ea279b3e-5c71-4632-ac08-831c66a786ba"


@dataclass(frozen=True)
class Enrichment:
    """The objects of a bundle, and the number of what is new in it."""

    objects: list[Stix]
    weaknesses: int
    techniques: int


def weaknesses_of(vulnerability: Stix) -> list[str]:
    """The weaknesses that a vulnerability has."""
    extension = (vulnerability.get("extensions") or {}).get(EXTENSION) or {}
    return [weakness for weakness in vulnerability.get("x_opencti_cwe") or extension.get("cwe") or [] if weakness]


class Enricher:
    """Writes suggestions into the objects of a vulnerability.

    Objects get the date of the vulnerability, and ids that OpenCTI derives from their content: the same answer is the
    same bundle, and sending it again adds nothing.
    """

    def __init__(self, max_confidence: int, with_derived: bool) -> None:
        self.max_confidence = max_confidence
        self.with_derived = with_derived

    def enrich(
        self, objects: Sequence[Stix], id: str, answer: Answer, suggestion: Suggestion, known: Collection[str] = ()
    ) -> Enrichment:
        """The objects with what is suggested of the vulnerability ``id``.

        ``known`` are the MITRE ids of attack patterns that it is related to by others: these relationships stay.
        """
        objects = [copy.deepcopy(one) if one["id"] == id else one for one in objects]
        vulnerability = next(one for one in objects if one["id"] == id)
        filled = [] if weaknesses_of(vulnerability) else [label.id for label in suggestion.weaknesses]
        if filled:
            vulnerability["x_opencti_cwe"] = filled
            extension = (vulnerability.get("extensions") or {}).get(EXTENSION)
            if extension is not None:
                extension["cwe"] = filled
            vulnerability["labels"] = [*vulnerability.get("labels", ()), PREDICTED_CWE]
        related = [(label, ASSIGNED) for label in suggestion.assigned]
        if self.with_derived:
            related += [(label, DERIVED) for label in (*suggestion.patterns, *suggestion.derived)]
        new: list[Stix] = []
        count = 0
        for label, kind in related:
            if label.id in known:
                continue
            pattern = self._pattern(label, vulnerability)
            new += [pattern, self._relationship(label, kind, pattern, vulnerability, answer)]
            count += 1
        if filled or count:
            new = [_author(), *new, self._note(vulnerability, answer, suggestion, filled)]
        present = {one["id"] for one in objects}
        objects += [one for one in new if one["id"] not in present]
        return Enrichment(objects, len(filled), count)

    def _pattern(self, label: Label, vulnerability: Stix) -> Stix:
        # The platform finds an attack pattern by its MITRE id; nothing but the name of a new one is told.
        return {
            **_dated("attack-pattern", AttackPattern.generate_id(label.own_name, label.id), vulnerability["created"]),
            "name": label.own_name,
            "x_mitre_id": label.id,
            "confidence": LEAST_CONFIDENCE,
        }

    def _relationship(self, label: Label, kind: str, pattern: Stix, vulnerability: Stix, answer: Answer) -> Stix:
        source, target = vulnerability["id"], pattern["id"]
        if kind == ASSIGNED:
            why = "analysts assign it to such vulnerabilities" + (f" ({label.role})" if label.role else "")
        else:
            why = f"it follows from {' ▸ '.join(label.via)} through MITRE's catalogues"
        return {
            **_dated(
                "relationship", StixCoreRelationship.generate_id("related-to", source, target), vulnerability["created"]
            ),
            **_marked(vulnerability),
            "relationship_type": "related-to",
            "source_ref": source,
            "target_ref": target,
            "created_by_ref": Identity.generate_id(AUTHOR, "system"),
            "confidence": min(self.max_confidence, round(100 * label.score)),
            "labels": [PREDICTED, kind],
            "description": f"Predicted with score {label.shown_score}: {why}. {answer.origin}.",
        }

    def _note(self, vulnerability: Stix, answer: Answer, suggestion: Suggestion, filled: Sequence[str]) -> Stix:
        abstract = "Weaknesses and techniques predicted from the description"
        content = self._told(answer, suggestion, filled)
        return {
            **_dated("note", Note.generate_id(vulnerability["created"], content), vulnerability["created"]),
            **_marked(vulnerability),
            "abstract": abstract,
            "content": content,
            "object_refs": [vulnerability["id"]],
            "created_by_ref": Identity.generate_id(AUTHOR, "system"),
            "confidence": self.max_confidence,
            "labels": [PREDICTED],
        }

    def _told(self, answer: Answer, suggestion: Suggestion, filled: Sequence[str]) -> str:
        """The suggestion as a table, with its scores and its origin."""
        rows = [("weakness", label, "") for label in suggestion.weaknesses]
        rows += [("technique", label, "analysts assign it") for label in suggestion.assigned]
        if self.with_derived:
            follows = (*suggestion.patterns, *suggestion.derived)
            rows += [
                ("pattern" if label.id.startswith("CAPEC") else "technique", label, f"from {' ▸ '.join(label.via)}")
                for label in follows
            ]
        lines = ["| | | score | |", "|---|---|---|---|"]
        lines += [f"| {kind} | {label.id} {label.name} | {label.shown_score} | {why} |" for kind, label, why in rows]
        written = (
            f"Filled in: {', '.join(filled)}."
            if filled
            else "The weaknesses of the vulnerability were left as they are."
        )
        lines += ["", f"{answer.said} {written} Predicted, not confirmed by a person: {answer.origin}."]
        if answer.is_cut:
            lines.append("Only the beginning of the description was read, which is too long.")
        return "\n".join(lines)


def _dated(kind: str, id: str, created: str) -> Stix:
    return {"type": kind, "spec_version": "2.1", "id": id, "created": created, "modified": created}


def _author() -> Stix:
    description = "A program that reads the text of a vulnerability and says which weaknesses and techniques it implies"
    return {
        **_dated("identity", Identity.generate_id(AUTHOR, "system"), AUTHOR_CREATED),
        "name": AUTHOR,
        "identity_class": "system",
        "description": description,
    }


def _marked(vulnerability: Stix) -> Stix:
    """The markings of the vulnerability: what follows from its text is as confidential as it."""
    markings = vulnerability.get("object_marking_refs")
    return {"object_marking_refs": list(markings)} if markings else {}
