"""Answers for Ray Data: a callable class for ``map_batches``.

``dataset.map_batches(vulnlens.ray.Classify, batch_format="pyarrow", fn_constructor_kwargs={"text": "description"},
compute=ray.data.ActorPoolStrategy(size=2))`` answers a data set by two actors, each of which opens the model once and
computes on one thread, as Ray counts a core for it (``model=Classifier(…, threads=2)`` and ``num_cpus=2`` for actors of
two cores).
"""

from __future__ import annotations

from typing import Any

import pyarrow

from ._classifier import Classifier, opened
from ._table import tell

__all__ = ["Classify"]


class Classify:
    """Answers batches of pyarrow: the columns of :meth:`vulnlens.Classifier.classify_table`, whose options there are.
    Rows without ids have their number in their batch."""

    def __init__(
        self,
        text: str = "description",
        id: str | None = None,
        published: str | None = None,
        *,
        model: str | Classifier = "fast",
        distinct: bool = True,
        **options: Any,
    ) -> None:
        self._classifier = opened(model, threads=1)
        self._columns = (text, id, published)
        self._options = {"distinct": distinct, **options}

    def __call__(self, batch: pyarrow.Table) -> pyarrow.Table:
        """The answers to the rows of a batch."""
        answers = self._classifier.classify_table(batch, *self._columns, **self._options)
        read = pyarrow.table(answers)
        tell(answers)
        return read
