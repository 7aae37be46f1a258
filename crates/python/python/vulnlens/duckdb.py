"""Answers for DuckDB.

>>> import duckdb, vulnlens.duckdb
>>> connection = duckdb.connect()
>>> vulnlens.duckdb.register(connection)
>>> connection.execute("SELECT vulnlens_cwe('SQL injection in login.php')").fetchall()
[('CWE-89',)]
"""

from __future__ import annotations

from typing import Any

import duckdb
import pyarrow

from ._classifier import Classifier, opened
from ._table import tell

__all__ = ["classify", "register"]


def classify(
    relation: duckdb.DuckDBPyRelation,
    text: str = "description",
    id: str | None = None,
    published: str | None = None,
    *,
    model: str | Classifier = "fast",
    distinct: bool = True,
    **options: Any,
) -> pyarrow.Table:
    """The answers to the rows of a relation: the columns of :meth:`vulnlens.Classifier.classify_table`, whose options
    there are; as a table of pyarrow, which DuckDB queries by its name."""
    classifier = opened(model)
    answers = classifier.classify_table(relation, text, id, published, distinct=distinct, **options)
    read = pyarrow.table(answers)
    tell(answers)
    return read


def register(
    connection: duckdb.DuckDBPyConnection, *, model: str | Classifier = "fast", **options: Any
) -> None:
    """Adds functions of a text to SQL: ``vulnlens_cwe`` is the best of the weaknesses that are answered, null where
    there is none; ``vulnlens_answer`` the whole record as JSON."""
    classifier = opened(model)

    def best(texts: Any) -> Any:
        table = pyarrow.table({"text": texts})
        found = pyarrow.table(
            classifier.classify_table(table, "text", distinct=True, **{**options, "taxonomy": "cwe"})
        )
        labels = []
        for row in found.column("cwe").to_pylist():
            answered = [label["label"] for label in row or () if label["predicted"]]
            labels.append(answered[0] if answered else None)
        return pyarrow.array(labels, pyarrow.string())

    def record(texts: Any) -> Any:
        given = texts.to_pylist()
        asked = [text for text in given if text and not text.isspace()]
        answers = iter(classifier(asked, **options))
        records = [next(answers).to_json() if text and not text.isspace() else None for text in given]
        return pyarrow.array(records, pyarrow.string())

    for name, function in (("vulnlens_cwe", best), ("vulnlens_answer", record)):
        # The names of kinds are enumerations in some releases and texts in others, which accept both.
        kinds: dict[str, Any] = {"type": "arrow", "null_handling": "special"}
        connection.create_function(name, function, ["VARCHAR"], "VARCHAR", **kinds)
