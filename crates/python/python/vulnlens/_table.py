"""Tables of answers."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from . import _native
from ._errors import ArgumentError


@runtime_checkable
class ArrowStream(Protocol):
    """Anything that hands a table over by Arrow's PyCapsule interface: of pyarrow, polars, pandas, duckdb, …"""

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any: ...


class AnswerTable:
    """The answers to a table, one row for each of its rows, in their order; made while they are read.

    It hands itself over by Arrow's PyCapsule interface: ``polars.DataFrame(table)``, ``pyarrow.table(table)``,
    ``pyarrow.RecordBatchReader.from_stream(table)``, ``duckdb.sql("FROM table")``. It can be read as often as the table
    that it answers.
    """

    def __init__(
        self,
        question: _native.Question,
        frame: ArrowStream,
        columns: tuple[str, str | None, str | None],
        distinct: bool,
    ) -> None:
        self._question = question
        self._frame = frame
        self._columns = columns
        self._distinct = distinct
        # The first one is made at once, so that columns that are not there are told here.
        self._first: _native.Table | None = self._table()
        self._last = self._first

    @property
    def rows(self) -> int:
        """The number of rows that were read so far."""
        return self._last.counts[0]

    @property
    def texts(self) -> int:
        """The number of texts that the model answered for them: with ``distinct=True`` equal ones count once, unless
        some 65,000 others came in between."""
        return self._last.counts[1]

    def _table(self) -> _native.Table:
        stream = getattr(self._frame, "__arrow_c_stream__", None)
        if stream is None:
            name = type(self._frame).__name__
            hint = "give a table of pyarrow, polars, pandas (with pyarrow) or duckdb"
            raise ArgumentError(f"frame: {name} has no __arrow_c_stream__", hint)
        text, id, published = self._columns
        return self._question.table(stream(), text, id, published, self._distinct)

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """The answers as a stream of Arrow's, in a capsule."""
        table, self._first = self._first, None
        self._last = table or self._table()
        return self._last.__arrow_c_stream__(requested_schema)


def tell(table: AnswerTable) -> None:
    """Logs what a table took, and what equal texts saved: at the level INFO, by the logger ``vulnlens``."""
    # Not at the top: the first answer waits for every import.
    import logging

    logging.getLogger("vulnlens").info("%d rows: %d texts were answered by the model", table.rows, table.texts)
