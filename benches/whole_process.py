"""Whole-process figures of vulnlens: start-up, building the data set, fitting.

    PYTHONPATH=tools python3 benches/whole_process.py --vulnlens target/release/vulnlens --sources FOLDER [--fit]

FOLDER holds `nvd/` (yearly feeds), `cvelist/cvelistV5.zip` and `corpus.jsonl.gz`. Every figure is of a whole process as
the operating system accounts it (wall seconds, CPU seconds, peak resident memory); medians of the runs. Peak memory
counts at least what this script itself has when it starts the process (some 15 MB, of 1,000,000 bytes). Start-up is paired with an empty
process (`/bin/true`), in turns. Prints Markdown.
"""

import argparse
import pathlib
import statistics
import tempfile

from vulnlens_tools.process import measure

TEXT = "Buffer overflow in OpenSSL allows remote attackers to execute arbitrary code."


# Some records of the sources may fail.
ACCEPTED = (0, 4)


def row(name, runs):
    wall, cpu, memory = (statistics.median(column) for column in zip(*runs))
    print(f"| {name} | {wall:.3f} | {cpu:.3f} | {memory:.0f} | {len(runs)} |", flush=True)
    return wall


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--vulnlens", required=True)
    parser.add_argument("--sources", type=pathlib.Path, required=True)
    parser.add_argument("--fit", action="store_true", help="also fit a model (minutes)")
    arguments = parser.parse_args()
    binary = arguments.vulnlens
    print("| process | wall s | CPU s | peak MB | runs |\n|---|--:|--:|--:|--:|")

    ours, empty = [], []
    for _ in range(31):
        ours.append(measure([binary, "classify", TEXT]))
        empty.append(measure(["/bin/true"]))
    first = row("first answer: `vulnlens classify TEXT`", ours)
    nothing = row("empty process: `/bin/true`", empty)

    with tempfile.TemporaryDirectory() as folder:
        everything = [binary, "data", "build", "--nvd", arguments.sources / "nvd", "--cvelist"]
        everything += [arguments.sources / "cvelist/cvelistV5.zip"]
        everything += ["--table", arguments.sources / "corpus.jsonl.gz"]
        everything += ["--out", f"{folder}/all.parquet"]
        row("`data build`: NVD feeds, CVE list and corpus together", [measure(everything, accepted=ACCEPTED) for _ in range(3)])
        corpus = f"{folder}/corpus.parquet"
        build = [binary, "data", "build", "--table", arguments.sources / "corpus.jsonl.gz", "--out", corpus]
        row("`data build`: corpus alone", [measure(build, accepted=ACCEPTED) for _ in range(3)])
        if arguments.fit:
            fit = [binary, "train", "ngram", "--data", corpus, "--split", "all", "--decisions-from", "fast"]
            row("`train ngram` on the whole corpus", [measure([*fit, "--out", f"{folder}/model.safetensors"])])
    print(f"\nStart to first answer: {1000 * (first - nothing):.1f} ms more than an empty process.")


if __name__ == "__main__":
    main()
