"""Answers for pandas.

>>> import pandas, vulnlens.pandas
>>> frame = pandas.DataFrame({"description": ["SQL injection in login.php", None]}, index=[7, 9])
>>> answers = vulnlens.pandas.classify(frame)
>>> answers.index.tolist(), answers.loc[7, "cwe"][0]["label"]
([7, 9], 'CWE-89')
"""

from __future__ import annotations

from typing import Any

import pandas
import pyarrow

from ._classifier import Classifier, opened
from ._table import tell

__all__ = ["classify"]


def classify(
    frame: pandas.DataFrame,
    text: str = "description",
    id: str | None = None,
    published: str | None = None,
    *,
    model: str | Classifier = "fast",
    distinct: bool = True,
    **options: Any,
) -> pandas.DataFrame:
    """The answers to the rows of a frame, with its index: the columns of :meth:`vulnlens.Classifier.classify_table`,
    whose options there are."""
    classifier = opened(model)
    wanted = [column for column in frame.columns if column in {text, id or "id", published}]
    table = pyarrow.Table.from_pandas(frame[wanted], preserve_index=False)
    answers = classifier.classify_table(table, text, id, published, distinct=distinct, **options)
    read = pyarrow.table(answers).to_pandas()
    read.index = frame.index
    tell(answers)
    return read
