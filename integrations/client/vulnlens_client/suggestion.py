"""The part of an answer that may be written into the data of others, by the rules of ``vulnlens enrich``."""

from __future__ import annotations

from dataclasses import dataclass

from vulnlens_client.answer import Answer, Label
from vulnlens_client.ask import Asker

#: The least score of what is written, unless another is asked for: that of ``vulnlens enrich``.
MIN_SCORE = 0.9
#: The usages of a weakness that let vulnerabilities be mapped to it.
PERMITTED = frozenset({"Allowed", "Allowed-with-Review"})
#: The outcomes of texts that describe no vulnerability.
WITHOUT = frozenset({"not-a-vulnerability", "no-text", "withdrawn"})


@dataclass(frozen=True)
class Suggestion:
    """What may be written of an answer.

    ``weaknesses``: asserted, with a score from the bound on, and CWE lets vulnerabilities be mapped to them.
    ``patterns`` and ``derived`` techniques: asserted with such a score, and linked to one of these weaknesses itself,
    not to an ancestor. ``assigned``: the techniques that analysts assign, as the model asserts them.
    """

    weaknesses: tuple[Label, ...] = ()
    patterns: tuple[Label, ...] = ()
    derived: tuple[Label, ...] = ()
    assigned: tuple[Label, ...] = ()

    @classmethod
    def of(cls, answer: Answer, asker: Asker, min_score: float = MIN_SCORE) -> Suggestion:
        """Selects from an answer; the asker tells to which weaknesses vulnerabilities may be mapped."""
        if answer.outcome in WITHOUT:
            return cls()

        def is_sure(label: Label) -> bool:
            return label.asserted and label.score >= min_score

        weaknesses = tuple(
            label for label in answer.weaknesses if is_sure(label) and asker.mapping_usage(label.id) in PERMITTED
        )
        ids = {label.id for label in weaknesses}

        def is_linked(label: Label) -> bool:
            return is_sure(label) and label.distance == 0 and bool(label.via) and label.via[0] in ids

        assigned = tuple(label for label in answer.assigned if label.asserted)
        known = {label.id for label in assigned}
        return cls(
            weaknesses=weaknesses,
            patterns=tuple(label for label in answer.patterns if is_linked(label)),
            derived=tuple(label for label in answer.derived if is_linked(label) and label.id not in known),
            assigned=assigned,
        )

    def __bool__(self) -> bool:
        return any((self.weaknesses, self.patterns, self.derived, self.assigned))
