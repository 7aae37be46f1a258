"""Answers for polars.

>>> import polars, vulnlens.polars
>>> frame = polars.DataFrame({"text": ["SQL injection in login.php", "Use after free in a browser"]})
>>> answered = frame.with_columns(vulnlens.polars.answers("text", taxonomy="cwe").alias("answer"))
>>> answered["answer"].struct.field("cwe").list.first().struct.field("label").to_list()
['CWE-89', 'CWE-416']
"""

from __future__ import annotations

from typing import Any

import polars

from ._classifier import Classifier, opened
from ._table import tell

__all__ = ["answers", "classify"]


def classify(
    frame: polars.DataFrame | polars.LazyFrame,
    text: str = "description",
    id: str | None = None,
    published: str | None = None,
    *,
    model: str | Classifier = "fast",
    distinct: bool = True,
    **options: Any,
) -> polars.DataFrame:
    """The answers to the rows of a frame, in their order: the columns of :meth:`vulnlens.Classifier.classify_table`,
    whose options there are."""
    classifier = opened(model)
    whole = frame.collect() if isinstance(frame, polars.LazyFrame) else frame
    wanted = [column for column in whole.columns if column in {text, id or "id", published}]
    table = classifier.classify_table(whole.select(wanted), text, id, published, distinct=distinct, **options)
    read = polars.DataFrame(table)
    tell(table)
    return read


def answers(
    column: str | polars.Expr, *, model: str | Classifier = "fast", distinct: bool = True, **options: Any
) -> polars.Expr:
    """The answers to a column of texts as an expression: a struct with the columns of :func:`classify`."""
    classifier = opened(model)

    def answered(texts: polars.Series) -> polars.Series:
        frame = polars.DataFrame({"text": texts.cast(polars.String)})
        table = classifier.classify_table(frame, "text", distinct=distinct, **options)
        return polars.DataFrame(table).drop("row").to_struct(texts.name)

    form = answered(polars.Series("text", [], dtype=polars.String)).dtype
    expression = polars.col(column) if isinstance(column, str) else column
    return expression.map_batches(answered, return_dtype=form)
