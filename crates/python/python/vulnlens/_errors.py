"""Exceptions of the package, by the kind of what went wrong; the command line tells the same kinds apart by exit
codes."""

from __future__ import annotations


class Error(Exception):
    """Something went wrong.

    ``message`` says where and what, in the words of the command line; ``hint`` says what to do, where the message does
    not. The text of the exception is both.
    """

    message: str
    hint: str | None

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message if self.hint is None else f"{self.message}\nhint: {self.hint}"


class ArgumentError(Error, ValueError):
    """Arguments that make no sense, by themselves or together (exit code 2)."""


class InputError(Error, ValueError):
    """An input that cannot be read, or nothing that was found in it (exit code 3)."""


class ModelError(Error):
    """A model or a knowledge base that is not available (exit code 5)."""


class OutputError(Error, OSError):
    """An output that cannot be written (exit code 1)."""


class MissingPackageError(Error, ImportError):
    """A package that a call needs and that is not installed."""


def missing(package: str, extra: str | None = None) -> MissingPackageError:
    """The exception for a package that is not installed."""
    install = f"vulnlens[{extra}]" if extra else package
    return MissingPackageError(f"{package} is not installed", f"pip install '{install}'")
