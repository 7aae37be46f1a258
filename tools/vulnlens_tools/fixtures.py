"""Where the tiny checkpoints of the tests are, and how their JSON is written: compact, so that a change is a short diff."""

import json
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent
FIXTURES = REPOSITORY / "crates/encoder/tests/fixtures"


def compact(value):
    """JSON without a space."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def rewrite_compactly(path):
    """Rewrites a file of JSON without a space."""
    path.write_text(compact(json.loads(path.read_text())) + "\n")


def write_list(path, rows):
    """Writes a JSON list with a line for each element."""
    path.write_text("[\n" + ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows) + "\n]\n")


def texts():
    """The texts that every fixture was asked."""
    return json.loads((FIXTURES / "texts.json").read_text(encoding="utf-8"))


def recorded(checkpoint):
    """The answers of transformers for a checkpoint of the fixtures."""
    return json.loads((FIXTURES / checkpoint / "expected.json").read_text(encoding="utf-8"))
