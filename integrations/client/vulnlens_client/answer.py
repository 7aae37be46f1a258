"""Answers: the record output of vulnlens, version 1, as far as platforms have room for it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Label:
    """A weakness, an attack pattern or a technique with its score.

    ``asserted`` is true if it is one of the answers. ``via`` is the way from a weakness to what follows from it, and
    ``distance`` the steps from the weakness up to the one that is linked; what the text tells itself has neither.
    """

    id: str
    name: str
    score: float
    asserted: bool
    via: tuple[str, ...] = ()
    distance: int | None = None
    role: str | None = None

    @property
    def shown_score(self) -> str:
        """The score in thousandths, rounded down, so that none is shown as certain."""
        return f"{math.floor(self.score * 1000) / 1000:.3f}"

    @property
    def own_name(self) -> str:
        """The name of a sub-technique without that of its technique, as ATT&CK itself has it."""
        return self.name.split(": ", 1)[-1] if self.id.startswith("T") and "." in self.id else self.name


@dataclass(frozen=True)
class Answer:
    """The answer to a text.

    ``assigned`` are the techniques that analysts assign to such a vulnerability, ``derived`` those that follow from its
    weaknesses through MITRE's catalogues. ``is_cut`` is true if only the beginning of the text was read.
    """

    model: str
    revision: str
    releases: Mapping[str, str]
    outcome: str
    said: str
    weaknesses: tuple[Label, ...]
    patterns: tuple[Label, ...]
    derived: tuple[Label, ...]
    assigned: tuple[Label, ...]
    is_cut: bool = False

    @classmethod
    def of(cls, record: Mapping[str, Any], is_cut: bool = False) -> Answer:
        """The answer in a record of the output."""
        return cls(
            model=str(record.get("model", "")),
            revision=str(record.get("model_revision", "")),
            releases=dict(record.get("taxonomies") or {}),
            outcome=str(record.get("outcome", "")),
            said=str(record.get("said", "")),
            weaknesses=_labels(record, "cwe"),
            patterns=_labels(record, "capec"),
            derived=_labels(record, "attack"),
            assigned=_labels(record, "attack_curated"),
            is_cut=is_cut,
        )

    @property
    def origin(self) -> str:
        """The model, its revision and the releases of the catalogues, in words."""
        names = {"cwe": "CWE", "capec": "CAPEC", "attack": "ATT&CK"}
        releases = ", ".join(f"{name} {self.releases[key]}" for key, name in names.items() if key in self.releases)
        return f"vulnlens, model {self.model} {self.revision}" + (f", {releases}" if releases else "")


def _labels(record: Mapping[str, Any], key: str) -> tuple[Label, ...]:
    return tuple(
        Label(
            id=str(values["label"]),
            name=str(values.get("name") or values["label"]),
            score=float(values["score"]),
            asserted=bool(values.get("predicted")),
            via=tuple(values.get("via") or ()),
            distance=values.get("distance"),
            role=values.get("role"),
        )
        for values in record.get(key) or ()
    )
