"""Answers for Dask.

>>> import dask.dataframe, pandas, vulnlens.dask
>>> frame = pandas.DataFrame({"description": ["SQL injection in login.php", "Use after free in a browser"]})
>>> answers = vulnlens.dask.classify(dask.dataframe.from_pandas(frame, npartitions=2))
>>> answers.compute(scheduler="sync")["outcome"].tolist()
['weaknesses', 'weaknesses']
"""

from __future__ import annotations

from typing import Any

import dask.dataframe

from . import pandas as _pandas
from ._classifier import Classifier, opened

__all__ = ["classify"]


def classify(
    frame: dask.dataframe.DataFrame,
    text: str = "description",
    id: str | None = None,
    published: str | None = None,
    *,
    model: str | Classifier = "fast",
    distinct: bool = True,
    **options: Any,
) -> dask.dataframe.DataFrame:
    """The answers to the rows of a frame, partition by partition: the columns of
    :meth:`vulnlens.Classifier.classify_table`, whose options there are. A worker opens the model once."""
    classifier = opened(model)
    keywords = {"model": classifier, "distinct": distinct, **options}
    form = _pandas.classify(frame._meta, text, id, published, **keywords)
    # Dask's own code has no types.
    untyped: Any = frame
    answers: dask.dataframe.DataFrame = untyped.map_partitions(
        _pandas.classify, text, id, published, meta=form, **keywords
    )
    return answers
