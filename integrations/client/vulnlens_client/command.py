"""The command ``vulnlens enrich``, for scripts that run it over files: what became of each file."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vulnlens_client.ask import VulnlensError

#: The counts of the command's summary, as it words them.
COUNTS = {
    "filled": "filled",
    "had": "had a weakness",
    "left": "left",
    "unsure": "unsure",
    "no_vulnerability": "without a vulnerability",
    "without_text": "without a text",
    "withdrawn": "withdrawn",
    "bad": "bad",
}
#: The exit code where some findings are bad, and where there are findings of ``--fail-on``: the document is written.
SOME_BAD, NOT_FILLED = 4, 7
ARGUMENTS = 2


@dataclass(frozen=True)
class Enriched:
    """What became of a file: findings by what became of them, all that was told, and the exit code."""

    path: Path
    counts: dict[str, int] = field(default_factory=dict)
    told: tuple[str, ...] = ()
    code: int = 0

    @property
    def is_written(self) -> bool:
        """True if the document was enriched, whatever is left in it."""
        return self.code in (0, SOME_BAD, NOT_FILLED)

    @property
    def total(self) -> int:
        """The number of findings."""
        return sum(self.counts.values())


def enrich(
    path: Path,
    out: Path,
    *,
    binary: str = "vulnlens",
    min_score: str | None = None,
    fail_on: Sequence[str] = (),
    model: str | None = None,
) -> Enriched:
    """Runs the command over a file; an error only if there is no such command."""
    command = [binary, "enrich", f"--out={out}"]
    command += [f"--min-score={min_score}"] if min_score else []
    command += [f"--fail-on={','.join(fail_on)}"] if fail_on else []
    command += [f"--model={model}"] if model else []
    try:
        # Standard input is that of the caller, which nobody else may read.
        ended = subprocess.run([*command, "--", str(path)], stdin=subprocess.DEVNULL, capture_output=True)
    except FileNotFoundError:
        message = f"there is no command {binary!r}; install the binary, or the package vulnlens for Python"
        raise VulnlensError(message) from None
    except OSError as error:
        raise VulnlensError(f"{binary}: cannot be run ({error})") from error
    lines = tuple(ended.stderr.decode("utf-8", "replace").splitlines())
    if ended.returncode == ARGUMENTS and any("unrecognized subcommand" in line for line in lines):
        raise VulnlensError(f"{binary} has no `enrich`; install a newer release")
    counts = _counts(path, lines)
    if not counts and ended.returncode in (0, SOME_BAD, NOT_FILLED):
        raise VulnlensError(
            f"{binary}: there is no summary of {path} on standard error; install the release of this script"
        )
    return Enriched(path, counts, lines, ended.returncode)


def _counts(path: Path, lines: Sequence[str]) -> dict[str, int]:
    """The counts in the line of the summary, which begins with the path."""
    for line in reversed(lines):
        rest = line.removeprefix(f"{path}: ")
        if rest != line and re.match(r"\d+ filled\b", rest):
            return {key: _count(rest, words) for key, words in COUNTS.items()}
    return {}


def _count(line: str, words: str) -> int:
    found = re.search(rf"(?:^|, )(\d+) {words}\b", line)
    return int(found[1]) if found else 0
