"""The knowledge base of CWE, CAPEC and ATT&CK: its entries, and the ways of the chain between them.

``kb`` is a file that ``vulnlens kb build`` made or a folder of MITRE's files; without it, the knowledge base of the
package answers.
"""

from __future__ import annotations

import functools
import json
import os
from typing import Any

from . import _native

__all__ = ["path", "show", "versions"]


@functools.lru_cache(maxsize=4)
def _opened(path: str | None) -> _native.KnowledgeBase:
    return _native.KnowledgeBase(path)


def _kb(path: str | os.PathLike[str] | None) -> _native.KnowledgeBase:
    return _opened(None if path is None else os.path.abspath(path))


def versions(*, kb: str | os.PathLike[str] | None = None) -> str:
    """The releases that the knowledge base is of."""
    return _kb(kb).versions


def show(id: str, *, kb: str | os.PathLike[str] | None = None) -> dict[str, Any]:
    """The entry of a weakness, a category, an attack pattern, a technique or a tactic: what ``vulnlens kb show --format
    json`` prints.

    >>> from vulnlens import kb
    >>> kb.show("T1539")["name"]
    'Steal Web Session Cookie'
    """
    entry: dict[str, Any] = json.loads(_kb(kb).show(id))
    return entry


def path(start: str, end: str | None = None, *, kb: str | os.PathLike[str] | None = None) -> list[Any]:
    """The ways of the chain from a weakness to an attack pattern or a technique, each a list of ids, the shortest
    first; without an end, the weaknesses from which the chain reaches ``start``. Where there are none it raises
    :class:`vulnlens.InputError`.

    >>> from vulnlens import kb
    >>> kb.path("CWE-79", "CAPEC-63")
    [['CWE-79', 'CAPEC-63']]
    """
    ways: list[Any] = json.loads(_kb(kb).path(start, end))
    return ways
