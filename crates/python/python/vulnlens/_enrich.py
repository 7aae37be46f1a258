"""Documents with the weaknesses that their findings lack."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from ._classifier import Classifier, opened


class Enriched(NamedTuple):
    """A document that was filled.

    ``document`` is what was given, filled: bytes of a file or of bytes, a new object of an object. ``summary`` has the
    number of findings by what became of them: ``filled``, ``had``, ``left``, ``unsure``, ``no_vulnerability``,
    ``without_text``, ``withdrawn``, ``bad``. ``problems`` says what is wrong with the bad ones, which stay as they are.
    """

    document: Any
    summary: Mapping[str, int]
    problems: tuple[str, ...]


def enrich(
    document: str | os.PathLike[str] | bytes | dict[str, Any] | list[Any],
    *,
    model: str | Classifier = "fast",
    min_score: float | None = None,
    format: str | None = None,
    container: bool = False,
    as_of: int | None = None,
    text: str | None = None,
    id: str | None = None,
    published: str | None = None,
) -> Enriched:
    """Fills missing weaknesses into an advisory, a report of a scanner, records or a table: what ``vulnlens enrich``
    does, with its formats, rules and options.

    ``document`` is the path of a file, its content as bytes, or an object as ``json.load`` gives it. Every byte that is
    there stays, and only what is sure (``min_score``, 0.9), asserted and allowed for mapping is written. Nothing is
    written to the file: ``document`` of the result is what to write.

    >>> import vulnlens
    >>> advisory = {"id": "X-1", "description": "SQL injection in login.php via the id parameter."}
    >>> filled = vulnlens.enrich(advisory)
    >>> filled.document["cwe"], filled.summary["filled"]
    (['CWE-89'], 1)
    """
    is_object = isinstance(document, (dict, list))
    source = json.dumps(document, ensure_ascii=False).encode() if is_object else document
    if not isinstance(source, bytes):
        source = os.fspath(source)  # type: ignore[arg-type]
    done, summary, problems = opened(model)._model.enrich(
        source,
        min_score=min_score,
        format=format,
        container=container,
        as_of=as_of,
        text=text,
        id=id,
        published=published,
    )
    return Enriched(json.loads(done) if is_object else done, json.loads(summary), tuple(problems))
