#!/usr/bin/env python3
"""A hook of pre-commit: fills in the weaknesses that advisories lack and their texts tell, or says which lack one.

    vulnlens_enrich.py [--check] [--min-score P] [--model NAME] [--binary PATH] FILE…

Ends with 1 where a document was changed or, with --check, would be; a finding whose text tells no sure weakness passes.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "client"))

from vulnlens_client import VulnlensError  # noqa: E402
from vulnlens_client.command import Enriched, enrich  # noqa: E402


def hook(paths: Sequence[Path], check: bool, min_score: str | None, model: str | None, binary: str) -> int:
    """Enriches each file in place, or only looks: the exit code."""
    code = 0
    with tempfile.TemporaryDirectory() as folder:
        for path in paths:
            out = Path(folder, "document") if check else path
            done = enrich(path, out, binary=binary, min_score=min_score, model=model)
            told = report(done, check)
            if told:
                sys.stdout.write(f"{told}\n")
                code = 1
    return code


def report(done: Enriched, check: bool) -> str | None:
    """The line about a document for the user, or None where it is as it should be."""
    path = done.path
    if not done.is_written or done.counts["bad"]:
        return "\n".join(done.told) or f"{path}: vulnlens ended with {done.code}"
    filled = done.counts["filled"]
    if not filled:
        return None
    findings = f"{filled} finding{'' if filled == 1 else 's'}"
    if check:
        return f"{path}: {findings} without a weakness that the text tells; run `vulnlens enrich {path} -o {path}`"
    return f"{path}: filled in the weaknesses of {findings}; look at them, and add the file again"


def main(arguments: Sequence[str]) -> int:
    """Reads the arguments of the hook, and runs it."""
    parser = argparse.ArgumentParser(prog="vulnlens-enrich", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="change nothing")
    parser.add_argument("--min-score", metavar="P", help="least score of a weakness that is written")
    parser.add_argument("--model", metavar="NAME", help="model that answers")
    parser.add_argument("--binary", default=os.environ.get("VULNLENS_BINARY", "vulnlens"), help="path of vulnlens")
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE")
    given = parser.parse_args(arguments)
    try:
        return hook(given.files, given.check, given.min_score, given.model, given.binary)
    except VulnlensError as error:
        sys.stderr.write(f"{error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
