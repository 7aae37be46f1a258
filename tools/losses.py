"""Makes the table of losses in docs/training.md of an evaluation that tools/losses.sh wrote.

    python3 tools/losses.py FOLDER/evaluation.json [--write]

Labels are those of CWE with ancestors, in three bands by the records of the evaluated part that have them. Without
--write the table is printed.
"""

import json
import re
import sys

from vulnlens_tools import fixtures

DOCUMENT = fixtures.REPOSITORY / "docs/training.md"
TASK = "reference-cwe"
# Bands of support, both ends included; the last has no end.
BANDS = ((1, 10), (11, 100), (101, None))


def band_name(band):
    first, last = band
    return f"{first} or more" if last is None else f"{first} to {last}"


def rows_of(task, band):
    first, last = band
    rows = (row for row in task["table"]["per_label"] if row["support"] >= first)
    return [row for row in rows if last is None or row["support"] <= last]


def mean_f1(task, band):
    rows = rows_of(task, band)
    return f"{sum(row['f1'] for row in rows) / len(rows):.4f}" if rows else "–"


def table(evaluation):
    # Other readings of the same scores have names with a comma.
    runs = [run for run in evaluation["runs"] if ", " not in run["system"]]
    tasks = [(run["system"], next(task for task in run["tasks"] if task["task"] == TASK)) for run in runs]
    run, task = runs[0], tasks[0][1]
    bands = " | ".join(f"F1, {band_name(band)} ({len(rows_of(task, band))})" for band in BANDS)
    lines = [
        f"CWE with ancestors, {task['table']['rows']} records of the {run['part']} part ({run['split']} split of "
        f"{evaluation['data']}), vulnlens {evaluation['tool_version']}; the last columns are means over the labels that "
        "so many of these records have.",
        "",
        f"| loss | micro-F1 | macro-F1 | LRAP | {bands} |",
        "|---|--:|--:|--:|" + "--:|" * len(BANDS),
    ]
    for system, task in tasks:
        figures = [f"{task['table'][name]:.4f}" for name in ("micro_f1", "macro_f1", "lrap")]
        cells = figures + [mean_f1(task, band) for band in BANDS]
        lines.append(f"| {system} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main(arguments):
    files = [argument for argument in arguments if argument != "--write"]
    if len(files) != 1:
        sys.exit(__doc__)
    with open(files[0], encoding="utf-8") as file:
        text = table(json.load(file))
    if "--write" not in arguments:
        print(text, end="")
        return
    document = DOCUMENT.read_text(encoding="utf-8")
    pattern = re.compile(r"(<!-- losses: begin -->\n).*?(<!-- losses: end -->)", re.DOTALL)
    document, count = pattern.subn(lambda found: found[1] + text + found[2], document)
    if count != 1:
        sys.exit(f"{DOCUMENT}: has no section between `<!-- losses: begin -->` and `<!-- losses: end -->`")
    DOCUMENT.write_text(document, encoding="utf-8")


main(sys.argv[1:])
