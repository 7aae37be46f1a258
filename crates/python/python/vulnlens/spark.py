"""Answers for Spark: Arrow's batches go to the executors' Python, each of which opens the model once.

``classify`` answers the rows of a frame, ``best_cwe`` is a function for columns, ``register`` adds it to SQL. The
package has to be installed on the executors.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pandas
import pyarrow
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.functions import pandas_udf
from pyspark.sql.pandas.types import from_arrow_schema

from ._classifier import Classifier, opened
from ._table import tell

__all__ = ["best_cwe", "classify", "register"]


def _nullable(kind: pyarrow.DataType) -> pyarrow.DataType:
    """The type with parts that may be null: where a whole answer is null, Spark has nulls in its parts, too."""
    if pyarrow.types.is_list(kind):
        return pyarrow.list_(pyarrow.field("element", _nullable(kind.value_type)))
    if pyarrow.types.is_struct(kind):
        return pyarrow.struct([pyarrow.field(part.name, _nullable(part.type)) for part in kind])
    return kind


def classify(
    frame: DataFrame,
    text: str = "description",
    id: str | None = None,
    published: str | None = None,
    *,
    model: str | Classifier = "fast",
    distinct: bool = True,
    gather: bool = False,
    **options: Any,
) -> DataFrame:
    """The answers to the rows of a frame: the columns of :meth:`vulnlens.Classifier.classify_table`, whose options
    there are. Rows without ids have their number in their partition.

    Each process of an executor opens the model once, and each task computes on one thread, as Spark counts a core for
    it (``model=Classifier(…, threads=2)`` for tasks of two cores). ``distinct`` answers equal texts of a partition once;
    ``gather`` first brings rows with equal texts into one partition, by a shuffle: worth it where texts repeat across
    partitions. Rows come in batches of ``spark.sql.execution.arrow.maxRecordsPerBatch`` (10,000), which bound the memory
    of a task; they are answered 1,024 at a time, so that smaller batches alone make a difference.
    """
    classifier = opened(model, threads=1)
    wanted = [column for column in frame.columns if column in {text, id or "id", published}]
    columns = [pyarrow.field("id", pyarrow.string())] if "id" in wanted or id else []
    empty = pyarrow.schema([pyarrow.field(text, pyarrow.string()), *columns]).empty_table()
    own_id = "id" if columns else None
    own = pyarrow.table(classifier.classify_table(empty, text, own_id, **options)).schema
    form = pyarrow.schema([pyarrow.field(column.name, _nullable(column.type)) for column in own])

    def answered(batches: Iterator[pyarrow.RecordBatch]) -> Iterator[pyarrow.RecordBatch]:
        first = next(batches, None)
        if first is None:
            return
        source = pyarrow.RecordBatchReader.from_batches(first.schema, itertools.chain([first], batches))
        table = classifier.classify_table(source, text, id, published, distinct=distinct, **options)
        yield from pyarrow.RecordBatchReader.from_stream(table)
        tell(table)

    rows = frame.select(*wanted)
    if gather:
        rows = rows.repartition(text)
    return rows.mapInArrow(answered, from_arrow_schema(form))


def best_cwe(model: str | Classifier = "fast", **options: Any) -> Any:
    """A function of a column of texts: the best of the weaknesses that are answered, null where there is none."""
    classifier = opened(model, threads=1)
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
