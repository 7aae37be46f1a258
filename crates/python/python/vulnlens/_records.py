"""Records of any file that the command line reads."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from typing import Literal, NamedTuple

from . import _native
from ._errors import ArgumentError, InputError


class Record(NamedTuple):
    """A record of a vulnerability, as a file has it; a classifier answers it like a text.

    ``year`` is the one that the answer depends on: that of ``published``, else that of a CVE id. ``line`` is the line,
    row or place in the file; ``cwe`` the weaknesses that the record was assigned.
    """

    text: str
    id: str | None = None
    published: str | None = None
    year: int | None = None
    line: int | None = None
    cwe: tuple[str, ...] = ()


class RecordWarning(UserWarning):
    """A record that cannot be read, or something worth knowing about a file."""


def read(
    path: str | os.PathLike[str],
    *,
    format: str | None = None,
    text: str | None = None,
    id: str | None = None,
    published: str | None = None,
    on_error: Literal["warn", "raise", "skip"] = "warn",
) -> Iterator[Record]:
    """Reads the records of a file or a folder, one after the other, in bounded memory.

    Whatever ``vulnlens classify`` reads: JSON Lines, CSV, Parquet and Arrow files, CVE records, NVD's feeds, OSV, CSAF,
    reports of scanners and more, plain or packed. The format is told by the content; ``format`` names one of the
    command line's ``--input-format``. ``text``, ``id`` and ``published`` name columns, or keys of JSON objects, where
    they are not known by their usual names.

    A bad record never loses the others: it is a :class:`RecordWarning`; with ``on_error="raise"`` it is an
    :class:`InputError`, with ``"skip"`` nothing is said.

    >>> import vulnlens, pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "in.jsonl")
    ...     _ = file.write_text('{"id": "CVE-2021-44228", "description": "Remote code execution"}')
    ...     [record] = vulnlens.read(file)
    >>> record.id, record.year
    ('CVE-2021-44228', 2021)
    """
    if on_error not in ("warn", "raise", "skip"):
        raise ArgumentError(f"on_error: {on_error!r} is not one of warn, raise, skip")
    # Opened at once, so that a file that cannot be read is told here and not at the first record.
    reader = _native.Reader(os.fspath(path), format=format, text=text, id=id, published=published)
    return _records(reader, on_error)


def _records(reader: _native.Reader, on_error: str) -> Iterator[Record]:
    for id, text, published, year, line, cwe, problem in reader:
        if problem is None and text is not None:
            yield Record(text, id, published, year, line, tuple(cwe))
            continue
        message, is_note = problem or ("the record has no text", False)
        if on_error == "raise" and not is_note:
            raise InputError(message)
        if on_error != "skip":
            warnings.warn(message, RecordWarning, stacklevel=2)
