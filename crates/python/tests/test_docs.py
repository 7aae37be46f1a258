"""The documentation: its recipes run, and every public item has words."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
from pathlib import Path

import pytest

import vulnlens

RECIPES = Path(__file__).resolve().parents[3] / "docs" / "python.md"
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def test_the_recipes_run() -> None:
    for package in ("numpy", "pyarrow", "pandas", "polars", "duckdb", "sklearn"):
        pytest.importorskip(package)
    failed, tried = doctest.testfile(str(RECIPES), module_relative=False, optionflags=FLAGS)
    assert failed == 0 and tried >= 20


def modules() -> list[str]:
    return [name for _, name, _ in pkgutil.iter_modules(vulnlens.__path__) if name != "__main__"]


@pytest.mark.parametrize("name", modules())
def test_examples_run(name: str) -> None:
    try:
        module = importlib.import_module(f"vulnlens.{name}")
    except ImportError as error:
        pytest.skip(f"{error}")
    failed, _ = doctest.testmod(module, optionflags=FLAGS)
    assert failed == 0


def test_everything_public_is_documented() -> None:
    for name in vulnlens.__all__:
        item = getattr(vulnlens, name)
        assert inspect.getdoc(item), name
        if inspect.isclass(item):
            for key, value in vars(item).items():
                if not key.startswith("_") and (callable(value) or isinstance(value, property)):
                    assert inspect.getdoc(value), f"{name}.{key}"
