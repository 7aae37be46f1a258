"""Answers for Spark: Arrow's batches go to the executors' Python, each of which opens the model once.

``classify`` answers the rows of a frame, ``best_cwe`` is a function for columns, ``register`` adds it to SQL. The
package has to be installed on the executors.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas
import pyarrow
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.functions import pandas_udf
from pyspark.sql.pandas.types import from_arrow_schema

from ._classifier import Classifier

__all__ = ["best_cwe", "classify", "register"]


def _plain(schema: pyarrow.Schema) -> pyarrow.Schema:
    """The schema without types that Spark does not have: whole numbers without a sign become longer ones with it."""
    table = schema.empty_table()
    return _signed(table).schema


def _signed(table: pyarrow.Table) -> pyarrow.Table:
    columns = [_signed_type(field.type) for field in table.schema]
    fields = [pyarrow.field(field.name, kind) for field, kind in zip(table.schema, columns)]
    return table.cast(pyarrow.schema(fields))


def _signed_type(kind: pyarrow.DataType) -> pyarrow.DataType:
    if kind == pyarrow.uint64():
        return pyarrow.int64()
    if kind == pyarrow.uint8():
        return pyarrow.int16()
    if pyarrow.types.is_list(kind):
        return pyarrow.list_(pyarrow.field("element", _signed_type(kind.value_type)))
    if pyarrow.types.is_struct(kind):
        return pyarrow.struct([pyarrow.field(field.name, _signed_type(field.type)) for field in kind])
    return kind


def classify(
    frame: DataFrame,
    text: str = "description",
    id: str | None = None,
    published: str | None = None,
    *,
    model: str | Classifier = "fast",
    distinct: bool = True,
    **options: Any,
) -> DataFrame:
    """The answers to the rows of a frame: the columns of :meth:`vulnlens.Classifier.classify_table`, whose options
    there are. Rows without ids have their number in their partition."""
    classifier = model if isinstance(model, Classifier) else Classifier(model)
    wanted = [column for column in frame.columns if column in {text, id or "id", published}]
    columns = [pyarrow.field("id", pyarrow.string())] if "id" in wanted or id else []
    empty = pyarrow.schema([pyarrow.field(text, pyarrow.string()), *columns]).empty_table()
    own_id = "id" if columns else None
    form = _plain(pyarrow.table(classifier.classify_table(empty, text, own_id, **options)).schema)

    def answered(batches: Iterator[pyarrow.RecordBatch]) -> Iterator[pyarrow.RecordBatch]:
        first = next(batches, None)
        if first is None:
            return

        def every() -> Iterator[pyarrow.RecordBatch]:
            yield first
            yield from batches

        source = pyarrow.RecordBatchReader.from_batches(first.schema, every())
        table = classifier.classify_table(source, text, id, published, distinct=distinct, **options)
        for batch in pyarrow.RecordBatchReader.from_stream(table):
            yield from _signed(pyarrow.Table.from_batches([batch])).to_batches()

    return frame.select(*wanted).mapInArrow(answered, from_arrow_schema(form))


def best_cwe(model: str | Classifier = "fast", **options: Any) -> Any:
    """A function of a column of texts: the best of the weaknesses that are answered, null where there is none."""
    classifier = model if isinstance(model, Classifier) else Classifier(model)
    asked = {**options, "taxonomy": "cwe"}

    def best(texts: pandas.Series) -> pandas.Series:
        given = [text if isinstance(text, str) else None for text in texts]
        table = pyarrow.table({"text": pyarrow.array(given, pyarrow.string())})
        answers = pyarrow.table(classifier.classify_table(table, "text", distinct=True, **asked))
        rows = answers.column("cwe").to_pylist()
        found = [next((label["label"] for label in row or () if label["predicted"]), None) for row in rows]
        return pandas.Series(found, dtype=object)

    # Its kind follows from the types of the function, which its own types do not tell.
    udf: Any = pandas_udf
    return udf(best, "string")


def register(session: SparkSession, *, model: str | Classifier = "fast", **options: Any) -> None:
    """Adds ``vulnlens_cwe`` to SQL: :func:`best_cwe`."""
    session.udf.register("vulnlens_cwe", best_cwe(model, **options))
