"""Types of the native module."""

from collections.abc import Sequence
from typing import Any, Final, Self, final

__all__ = [
    "VERSION",
    "KnowledgeBase",
    "Model",
    "Question",
    "Reader",
    "Space",
    "Table",
    "run_command",
    "year_of",
]

VERSION: Final[str]

def run_command(arguments: Sequence[str]) -> int: ...
def year_of(id: str | None, published: str | None) -> int | None: ...
@final
class Model:
    def __new__(
        cls,
        name: str,
        *,
        kb: str | None,
        threads: int | None,
        offline: bool,
        variables: dict[str, str],
        window_overlap: int | None,
        taxonomy_of_labels: str | None,
        label_names: list[str] | None,
        precision: str | None,
    ) -> Self: ...
    @property
    def name(self) -> str: ...
    @property
    def revision(self) -> str: ...
    @property
    def notices(self) -> list[str]: ...
    def enrich(
        self,
        source: bytes | str,
        *,
        min_score: float | None,
        format: str | None,
        container: bool,
        as_of: int | None,
        text: str | None,
        id: str | None,
        published: str | None,
    ) -> tuple[bytes, str, list[str]]: ...
    def question(self, options: str) -> Question: ...
    def space(self, name: str, options: str) -> Space: ...

@final
class Question:
    def answer(self, text: str, id: str | None, year: int | None) -> bytes: ...
    def answers(
        self,
        texts: list[str],
        ids: list[str | None] | None = None,
        years: list[int | None] | None = None,
        lines: list[int | None] | None = None,
    ) -> list[bytes]: ...
    def scored(self, texts: list[str]) -> list[list[tuple[str, float]]]: ...
    def table(
        self, stream: object, text: str, id: str | None = None, published: str | None = None, distinct: bool = False
    ) -> Table: ...

@final
class Space:
    @property
    def labels(self) -> list[str]: ...
    def probabilities(
        self, texts: list[str], years: list[int | None] | None = None
    ) -> tuple[bytearray, bytearray]: ...

@final
class Table:
    @property
    def counts(self) -> tuple[int, int]: ...
    def __arrow_c_stream__(self, requested_schema: Any = None) -> object: ...

@final
class Reader:
    def __new__(
        cls, path: str, *, format: str | None, text: str | None, id: str | None, published: str | None
    ) -> Self: ...
    def __iter__(self) -> Self: ...
    def __next__(
        self,
    ) -> tuple[
        str | None, str | None, str | None, int | None, int | None, list[str], tuple[str, bool] | None
    ]: ...

@final
class KnowledgeBase:
    def __new__(cls, path: str | None = None) -> Self: ...
    @property
    def versions(self) -> str: ...
    def show(self, id: str) -> str: ...
    def path(self, start: str, end: str | None = None) -> str: ...
