"""Answers: records of the output, read when they are looked at."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

#: The keys of an answer's lists of labels, with their headings.
LISTS = {
    "attack_curated": "Techniques that analysts assign (ATT&CK)",
    "cwe": "Weaknesses (CWE)",
    "capec": "Attack patterns (CAPEC)",
    "attack": "Techniques (ATT&CK)",
    "other": "Other labels",
}


class Label(NamedTuple):
    """A label with its probability.

    ``label`` is the id, such as ``CWE-79``; ``name`` its name in the knowledge base; ``score`` the probability that it
    applies; ``predicted`` is true if it is one of the answers. A label that follows from a weakness has the way that
    leads to it (``via``) and the steps from the weakness up to the one that is linked (``distance``). Techniques have
    ``tactics``, and those that analysts assign a ``role``. ``basis`` names the words that a label is known from where
    no record taught it.
    """

    label: str
    name: str
    score: float
    predicted: bool
    via: tuple[str, ...] = ()
    distance: int | None = None
    role: str | None = None
    tactics: tuple[str, ...] = ()
    basis: str | None = None

    def __str__(self) -> str:
        return self.label


class Family(NamedTuple):
    """The nearest weakness above several between which a text does not decide; it is not a mapping.

    ``members`` are the weaknesses of the family, the most probable first.
    """

    label: str
    name: str
    score: float
    members: tuple[Label, ...] = ()

    def __str__(self) -> str:
        return self.label


def _label(values: Mapping[str, Any]) -> Label:
    return Label(
        label=values["label"],
        name=values["name"],
        score=values["score"],
        predicted=values.get("predicted", False),
        via=tuple(values.get("via", ())),
        distance=values.get("distance"),
        role=values.get("role"),
        tactics=tuple(values.get("tactics", ())),
        basis=values.get("basis"),
    )


class Answer:
    """The answer to one text: a record of the output of ``vulnlens classify``, with the same keys and numbers.

    Nothing is read of it before it is looked at. ``to_json`` returns the very line that the command line writes,
    ``to_dict`` the same as a dictionary; keys that have no attribute here stand there.

    >>> import vulnlens
    >>> answer = vulnlens.Classifier()("SQL injection in login.php via the id parameter.")
    >>> answer.cwe[0].label, answer.outcome
    ('CWE-89', 'weaknesses')
    """

    __slots__ = ("_read", "_record")

    _record: bytes
    _read: dict[str, Any] | None

    def __init__(self, record: bytes) -> None:
        self._record = record
        self._read = None

    def _values(self) -> dict[str, Any]:
        read = self._read
        if read is None:
            read = self._read = json.loads(self._record)
        return read

    def _labels(self, key: str) -> tuple[Label, ...]:
        return tuple(map(_label, self._values().get(key, ())))

    def to_json(self) -> str:
        """The record as one line of JSON, without its line end: the bytes that the command line writes."""
        return self._record.decode()

    def to_dict(self) -> dict[str, Any]:
        """The record as a dictionary of its own, which may be changed."""
        values: dict[str, Any] = json.loads(self._record)
        return values

    @property
    def id(self) -> str | None:
        """The record's id, as it was given."""
        value: str | None = self._values()["id"]
        return value

    @property
    def model(self) -> str:
        """The name of the model that answered."""
        return str(self._values()["model"])

    @property
    def model_revision(self) -> str:
        """The state of that name: 12 hexadecimal digits."""
        return str(self._values()["model_revision"])

    @property
    def taxonomies(self) -> Mapping[str, str]:
        """The releases of CWE, CAPEC and ATT&CK that names and ways are of."""
        return dict(self._values()["taxonomies"])

    @property
    def cwe(self) -> tuple[Label, ...]:
        """Weaknesses, the most probable first."""
        return self._labels("cwe")

    @property
    def capec(self) -> tuple[Label, ...]:
        """Attack patterns that follow from the weaknesses."""
        return self._labels("capec")

    @property
    def attack(self) -> tuple[Label, ...]:
        """ATT&CK techniques that follow from the weaknesses."""
        return self._labels("attack")

    @property
    def attack_curated(self) -> tuple[Label, ...]:
        """ATT&CK techniques that analysts assign to such vulnerabilities, with their roles."""
        return self._labels("attack_curated")

    @property
    def other(self) -> tuple[Label, ...]:
        """Labels of a checkpoint that belong to no taxonomy."""
        return self._labels("other")

    @property
    def none(self) -> Mapping[str, float]:
        """For each taxonomy that was asked for, the probability that none of its labels applies."""
        return dict(self._values().get("none", {}))

    @property
    def outcome(self) -> str | None:
        """The answer in a word: ``weaknesses``, ``family``, ``unsure``, ``not-told``, ``not-a-vulnerability``, …; None
        where that is not decided."""
        value: str | None = self._values().get("outcome")
        return value

    @property
    def said(self) -> str | None:
        """The answer in a sentence."""
        value: str | None = self._values().get("said")
        return value

    @property
    def outcomes(self) -> Mapping[str, float]:
        """The probabilities of the outcomes that are not weaknesses."""
        return dict(self._values().get("outcomes", {}))

    @property
    def family(self) -> Family | None:
        """The family of the weakness, where no single one is answered and one family is."""
        values = self._values().get("family")
        if values is None:
            return None
        members = tuple(map(_label, values.get("members", ())))
        return Family(values["label"], values["name"], values["score"], members)

    @property
    def severity(self) -> Mapping[str, Any] | None:
        """The severity that the text implies, if it was asked for: a base vector of CVSS 3.1, score, band and more."""
        values: Mapping[str, Any] | None = self._values().get("severity")
        return values

    @property
    def words(self) -> list[dict[str, Any]]:
        """The words of the text with their weights for the best label; of answers with evidence."""
        return list(self.to_dict().get("words", ()))

    @property
    def paths(self) -> list[Any]:
        """The ways of the chain from the weaknesses; of answers with evidence."""
        return list(self.to_dict().get("paths", ()))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Answer) and self._record == other._record

    def __hash__(self) -> int:
        return hash(self._record)

    def __reduce__(self) -> tuple[type[Answer], tuple[bytes]]:
        return Answer, (self._record,)

    def __repr__(self) -> str:
        labels = [label for key in LISTS for label in self._labels(key) if label.predicted]
        shown = ", ".join(f"{label.label} {label.score:.2f}" for label in labels) or "no label"
        return f"<Answer {self.outcome or ''}: {shown}>"

    def _repr_html_(self) -> str:
        """The answer as a table, for notebooks; whatever stands in it is escaped."""
        # Not at the top: notebooks alone need it, and the first answer waits for every import.
        import html

        rows = []
        for key, heading in LISTS.items():
            labels = self._labels(key)
            if labels:
                rows.append(f'<tr><th colspan="4" style="text-align:left">{html.escape(heading)}</th></tr>')
            for label in labels:
                sign = "✓" if label.predicted else ""
                way = " ▸ ".join(label.via)
                cells = (f"{sign} {label.label}", label.name, f"{label.score:.1%}", way)
                rows.append("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells) + "</tr>")
        said = html.escape(self.said or "")
        head = html.escape(self.id or "")
        return f"<p><b>{head}</b> {said}</p><table>{''.join(rows)}</table>"
