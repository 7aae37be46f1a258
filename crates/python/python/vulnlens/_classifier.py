"""Classifiers: models that are opened and asked."""

from __future__ import annotations

import functools
import json
import os
import warnings
import weakref
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypedDict, overload

from . import _native
from ._answer import Answer
from ._errors import ArgumentError, missing
from ._records import Record
from ._table import AnswerTable, ArrowStream

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

#: A taxonomy, and techniques that analysts assign.
Taxonomy = Literal["cwe", "capec", "attack", "curated", "attack_curated"]
#: A label space, which decides what the probabilities mean.
LabelSpace = Literal["recommended", "reference", "assigned"]
#: Sets of options that are kept ready.
KEPT = 32

_unset: Any = object()


class Scored(TypedDict):
    """A label with its probability, as transformers writes it."""

    label: str
    score: float


class ModelWarning(UserWarning):
    """Something about a model that its user should know."""


class Classifier:
    """A model that says which weaknesses (CWE), attack patterns (CAPEC) and ATT&CK techniques a text implies.

    ``name`` is ``"fast"`` or ``"accurate"``, which are part of the package; a model file; the folder of a checkpoint
    or a file in it; or an id of the Hugging Face hub, ``"ORG/NAME"`` or ``"ORG/NAME@REVISION"``, which is looked up in
    the cache; the network is asked with ``offline=False`` alone. ``threads`` is the number of threads to compute on
    (without it, as many as the process may use), ``kb`` another knowledge base than the package's. For checkpoints,
    ``window_overlap`` reads long texts whole in windows that share so many tokens, ``taxonomy_of_labels`` says what
    bare numbers are ids of, ``label_names`` names the outputs, and ``precision="int8"`` computes in eight bits: faster,
    and a little less exact.

    >>> import vulnlens
    >>> model = vulnlens.Classifier()
    >>> answer = model("SQL injection in login.php via the id parameter.")
    >>> answer.cwe[0].label
    'CWE-89'
    >>> [answer.outcome for answer in model(["Use after free in a browser.", "Fixed a typo."])]
    ['weaknesses', 'not-a-vulnerability']

    Threads may share it. It can be pickled: what opens it is kept, not the model. After a fork each process computes on
    threads of its own.
    """

    def __init__(
        self,
        name: str | os.PathLike[str] = "fast",
        *,
        threads: int | None = None,
        kb: str | os.PathLike[str] | None = None,
        offline: bool = True,
        window_overlap: int | None = None,
        taxonomy_of_labels: Literal["cwe", "capec", "attack"] | None = None,
        label_names: Sequence[str] | None = None,
        precision: Literal["f32", "int8"] | None = None,
    ) -> None:
        name = os.fspath(name)
        if name not in ("fast", "accurate") and os.path.exists(name):
            # Where it is unpickled, the folder may be another one.
            name = os.path.abspath(name)
        opening: dict[str, Any] = {
            "threads": threads,
            "kb": None if kb is None else os.path.abspath(kb),
            "offline": offline,
            "window_overlap": window_overlap,
            "taxonomy_of_labels": taxonomy_of_labels,
            "label_names": None if label_names is None else tuple(label_names),
            "precision": precision,
        }
        names = None if label_names is None else list(label_names)
        self._opening = (name, tuple(opening.items()))
        self._model = _native.Model(name, **{**opening, "label_names": names}, variables=dict(os.environ))
        self._questions: dict[tuple[Any, ...], _native.Question] = {}
        self._spaces: dict[tuple[Any, ...], _native.Space] = {}
        _classifiers.add(self)
        for notice in self._model.notices:
            warnings.warn(notice, ModelWarning, stacklevel=2)

    @property
    def name(self) -> str:
        """The model's name."""
        return self._model.name

    @property
    def revision(self) -> str:
        """The state of that name: 12 hexadecimal digits."""
        return self._model.revision

    @overload
    def __call__(  # type: ignore[overload-overlap]
        self,
        texts: str | Record,
        *,
        labels: LabelSpace | None = None,
        taxonomy: Taxonomy | Sequence[Taxonomy] | None = None,
        top_k: int | Literal["all"] | None = None,
        threshold: float | None = None,
        as_of: int | None = None,
        severity: bool = False,
        evidence: bool = False,
        ids: Any = None,
        published: Any = None,
    ) -> Answer: ...

    @overload
    def __call__(
        self,
        texts: Iterable[str | Record],
        *,
        labels: LabelSpace | None = None,
        taxonomy: Taxonomy | Sequence[Taxonomy] | None = None,
        top_k: int | Literal["all"] | None = None,
        threshold: float | None = None,
        as_of: int | None = None,
        severity: bool = False,
        evidence: bool = False,
        ids: Iterable[Any] | None = None,
        published: Iterable[Any] | None = None,
    ) -> list[Answer]: ...

    def __call__(
        self,
        texts: str | Record | Iterable[str | Record],
        *,
        labels: LabelSpace | None = None,
        taxonomy: Taxonomy | Sequence[Taxonomy] | None = None,
        top_k: int | Literal["all"] | None = None,
        threshold: float | None = None,
        as_of: int | None = None,
        severity: bool = False,
        evidence: bool = False,
        ids: Any = None,
        published: Any = None,
    ) -> Answer | list[Answer]:
        """Answers a text, or each text of a list; records of :func:`vulnlens.read` are answered with their ids and
        years.

        The options are those of ``vulnlens classify``:

        - ``labels``: the label space, which decides what the probabilities mean: ``"recommended"`` (the default),
          ``"reference"`` or ``"assigned"``;
        - ``taxonomy``: ``"cwe"``, ``"capec"``, ``"attack"``, ``"curated"``, or several of them; all that the model
          answers without it;
        - ``top_k``: labels of each taxonomy, the best, or ``"all"``; those predicted and the best five without it;
        - ``threshold``: the least probability of a label that is listed (0.05);
        - ``as_of``: the year that texts are read as of, whatever their own;
        - ``severity``: true for the severity that the text implies, too;
        - ``evidence``: true for the reasons of the answer, which take many times as long;
        - ``ids``, ``published``: the id and the date of publication of a text, or of each text. The year, which the
          answer depends on, is that of the date, else that of a CVE id, else the newest that the model knows.
        """
        key = (labels, taxonomy, top_k, threshold, as_of, severity, evidence)
        try:
            question = self._questions[key]
        except (KeyError, TypeError):
            question = self._question(key)
        if isinstance(texts, str):
            if ids is None and published is None:
                return Answer(question.answer(texts, None, None))
            id = None if ids is None else str(ids)
            return Answer(question.answer(texts, id, _native.year_of(id, _date(published))))
        if isinstance(texts, Record):
            return self._answers(question, [texts], None, None)[0]
        return self._answers(question, list(texts), ids, published)

    def _answers(
        self, question: _native.Question, texts: list[str | Record], ids: Any, published: Any
    ) -> list[Answer]:
        strings, own, years, lines = _columns(texts, ids, published)
        return [Answer(record) for record in question.answers(strings, own, years, lines)]

    def _question(self, key: tuple[Any, ...]) -> _native.Question:
        """The question of some options, which are kept ready."""
        labels, taxonomy, top_k, threshold, as_of, severity, evidence = key
        if taxonomy is not None and not isinstance(taxonomy, str):
            taxonomy = tuple(taxonomy)
        key = (labels, taxonomy, top_k, threshold, as_of, severity, evidence)
        question = self._questions.get(key)
        if question is None:
            question = self._model.question(_options(*key))
            while len(self._questions) >= KEPT:
                self._questions.pop(next(iter(self._questions)), None)
            self._questions[key] = question
        return question

    def explain(self, text: str | Record, **options: Any) -> Answer:
        """Answers a text with the reasons: ``words`` with their weights, ``paths`` of the chain, and what else the
        keys of record output hold (``to_dict()``). The options are those of a call.

        >>> import vulnlens
        >>> answer = vulnlens.Classifier().explain("SQL injection in login.php via the id parameter.")
        >>> sorted(word["text"] for word in sorted(answer.words, key=lambda word: word["weight"])[-2:])
        ['SQL', 'injection']
        """
        answer: Answer = self(text, **{**options, "evidence": True})
        return answer

    def pipeline(
        self, texts: str | Iterable[str], *, top_k: int | None = _unset
    ) -> list[Scored] | list[list[Scored]]:
        """Weaknesses with their probabilities, in the shapes of transformers' ``pipeline("text-classification")``.

        ``top_k`` is the number of labels of a text, None for all of them. As there, without it a text has one label,
        and a list of texts is one list of labels; with it, a text has a list of labels, and a list of texts is a list
        of such.

        >>> import vulnlens
        >>> model = vulnlens.Classifier()
        >>> [row["label"] for row in model.pipeline("Cross-site scripting in the search field.", top_k=2)]
        ['CWE-79', 'CWE-80']
        """
        number = 1 if top_k is _unset else "all" if top_k is None else top_k
        question = self._question((None, "cwe", number, 0.0, None, False, False))
        is_one = isinstance(texts, str)
        scored = question.scored([texts] if isinstance(texts, str) else list(texts))
        rows: list[list[Scored]] = [
            [{"label": label, "score": score} for label, score in row] for row in scored
        ]
        if is_one:
            return rows[0]
        if top_k is _unset:
            return [label for row in rows for label in row]
        return rows

    def classify_table(
        self,
        frame: ArrowStream,
        text: str = "description",
        id: str | None = None,
        published: str | None = None,
        *,
        distinct: bool = False,
        labels: LabelSpace | None = None,
        taxonomy: Taxonomy | Sequence[Taxonomy] | None = None,
        top_k: int | Literal["all"] | None = None,
        threshold: float | None = None,
        as_of: int | None = None,
        severity: bool = False,
    ) -> AnswerTable:
        """Answers a table, batch by batch: anything with ``__arrow_c_stream__`` in, the same out.

        ``text`` names the column of the texts, ``id`` that of the ids (without it the column ``id`` is used if there is
        one), ``published`` that of the dates of publication. There is one row for each row of the table, in their
        order: its ``id`` or, without ids, its number ``row``, from 0; ``outcome``; for each taxonomy a list of labels
        with ``score`` and ``predicted``; ``family``, ``none``, and ``severity`` where it is asked for. A text that is
        null, blank or longer than 16 MiB has the problem in the column ``error`` and null in the others: no row ends
        the work. The scores are those of the command line, as float32 and not rounded.

        ``distinct=True`` answers equal texts once; the answers are the same.

        >>> import polars, vulnlens
        >>> frame = polars.DataFrame({"description": ["SQL injection in login.php", None]})
        >>> table = vulnlens.Classifier().classify_table(frame)
        >>> polars.DataFrame(table)["error"].to_list()
        [None, 'the text is empty; give each record a description']
        """
        question = self._question((labels, taxonomy, top_k, threshold, as_of, severity, False))
        return AnswerTable(question, frame, (text, id, published), distinct)

    def labels(self, space: Taxonomy = "attack", *, labels: LabelSpace | None = None) -> list[str]:
        """The labels of a taxonomy that the model answers, in the order of the columns of :meth:`probabilities`."""
        return self._space(space, labels, None).labels

    def probabilities(
        self,
        texts: str | Iterable[str | Record],
        space: Taxonomy = "attack",
        *,
        labels: LabelSpace | None = None,
        as_of: int | None = None,
        ids: Iterable[Any] | None = None,
        published: Iterable[Any] | None = None,
    ) -> NDArray[numpy.float32]:
        """The probability of each label of a taxonomy for each text: an array of float32, a row for each text and a
        column for each of :meth:`labels`. They are those of the answers: labels that an answer does not list, even if
        all are asked for, have 0, as those of a text that is not classified, and patterns and techniques that do not
        follow from the family that is answered. Needs numpy.

        >>> import vulnlens
        >>> model = vulnlens.Classifier()
        >>> scores = model.probabilities(["Cross-site scripting in the search field."], space="cwe")
        >>> scores.shape == (1, len(model.labels("cwe"))), model.labels("cwe")[scores[0].argmax()]
        (True, 'CWE-79')
        """
        scores, _ = self._probabilities(texts, space, labels, as_of, ids, published)
        return scores

    def _probabilities(
        self,
        texts: str | Iterable[str | Record],
        space: Taxonomy,
        labels: LabelSpace | None = None,
        as_of: int | None = None,
        ids: Iterable[Any] | None = None,
        published: Iterable[Any] | None = None,
    ) -> tuple[NDArray[numpy.float32], NDArray[numpy.float32]]:
        """The probabilities of labels, and those that none applies."""
        try:
            import numpy
        except ImportError as error:
            raise missing("numpy", "numpy") from error
        found = self._space(space, labels, as_of)
        given: list[str | Record] = [texts] if isinstance(texts, str) else list(texts)
        strings, _, years, _ = _columns(given, ids, published)
        scores, none = found.probabilities(strings, years)
        rows = numpy.frombuffer(scores, dtype=numpy.float32).reshape(len(strings), len(found.labels))
        return rows, numpy.frombuffer(none, dtype=numpy.float32)

    def _space(self, space: str, labels: str | None, as_of: int | None) -> _native.Space:
        key = (space, labels, as_of)
        found = self._spaces.get(key)
        if found is None:
            found = self._spaces[key] = self._model.space(
                space, _options(labels, None, None, None, as_of, False, False)
            )
        return found

    def __reduce__(self) -> tuple[Any, ...]:
        return _opened, self._opening

    def __repr__(self) -> str:
        return f"<Classifier {self.name} {self.revision}>"


def opened(model: str | os.PathLike[str] | Classifier, **opening: Any) -> Classifier:
    """The classifier itself, or the one of this name."""
    return model if isinstance(model, Classifier) else Classifier(model, **opening)


def _options(
    labels: Any, taxonomy: Any, top_k: Any, threshold: Any, as_of: Any, severity: Any, evidence: Any
) -> str:
    """Options as the native module reads them; those that are not given are left out."""
    given = {"labels": labels, "taxonomy": taxonomy, "top_k": top_k, "threshold": threshold, "as_of": as_of}
    asked = {key: value for key, value in given.items() if value is not None}
    try:
        return json.dumps({**asked, "severity": bool(severity), "evidence": bool(evidence)})
    except TypeError as error:
        raise ArgumentError(f"options: {error}") from error


def _date(published: Any) -> str | None:
    return None if published is None else str(published)


def _columns(
    texts: Sequence[str | Record], ids: Iterable[Any] | None, published: Iterable[Any] | None
) -> tuple[list[str], list[str | None] | None, list[int | None] | None, list[int | None] | None]:
    """Texts, ids, years and lines; lists that would hold nothing are left out."""
    records = [text if isinstance(text, Record) else None for text in texts]
    strings = [text.text if isinstance(text, Record) else text for text in texts]
    if ids is None and published is None and not any(records):
        return strings, None, None, None
    own_ids = [None if id is None else str(id) for id in _as_many("ids", ids, len(texts))]
    dates = [_date(date) for date in _as_many("published", published, len(texts))]
    columns = zip(records, own_ids, dates)
    keys = [(record.id if record and id is None else id) for record, id, _ in columns]
    years = [
        record.year if record and date is None else _native.year_of(id, date)
        for record, id, date in zip(records, keys, dates)
    ]
    return strings, keys, years, [record.line if record else None for record in records]


def _as_many(name: str, values: Iterable[Any] | None, count: int) -> list[Any]:
    """The values, one for each text."""
    if values is None:
        return [None] * count
    given = [values] if isinstance(values, str) else list(values)
    if len(given) != count:
        raise ArgumentError(f"{name}: there are {len(given)}, and {count} texts", "give one for each text")
    return given


@functools.lru_cache(maxsize=8)
def _opened(name: str, opening: tuple[tuple[str, Any], ...]) -> Classifier:
    """The classifier that was pickled; a process opens each once, however often it is handed over."""
    return Classifier(name, **dict(opening))


#: The classifiers of this process.
_classifiers: weakref.WeakSet[Classifier] = weakref.WeakSet()


def _forget() -> None:
    """Drops what threads of the parent process may have been working on when this one was forked."""
    for classifier in list(_classifiers):
        classifier._questions = {}
        classifier._spaces = {}


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
