"""Whole processes: descriptions in, CWE, CAPEC and ATT&CK out, beside fastText's prediction.

    cargo build --release -p vulnlens-cli
    (a Python environment and a model: see the head of tools/fasttext_peer.py)
    PYTHONPATH=tools .../bin/python benches/classify_vs_fasttext.py --data DATASET.parquet --model FOLDER/random.bin \\
        --vulnlens target/release/vulnlens

The descriptions of the data set, shuffled (seeded) and cycled, stand in a JSON Lines file of N records (id, published,
description) that both programs read:

- vulnlens: `classify --format jsonl` with its default labels of all three taxonomies, on one thread and
  on two, standard output to /dev/null;
- fastText: a Python process that imports fastText and loads the model, reads the file, prepares the
  texts (one line of words each, as in training) and predicts all of them in one call, k=1 or k=50 sets
  (50 are what the CAPEC and ATT&CK probabilities are summed from). It predicts on one thread and
  writes nothing: no chain, no JSON.

Every round runs each variant once, in turn; figures are medians. CPU seconds (user + system) and peak
resident memory are the kernel's (wait4), which counts at least the size of this process: it imports
only the standard library, to stay small. `without loading` leaves out the start of Python, the imports and
the loading of the model, `predict only` also the reading and preparing of the texts; vulnlens' times
are always those of the whole process. Linux only.
"""

import argparse
import json
import os
import pathlib
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time

from vulnlens_tools.corpus import data_set, year_of
from vulnlens_tools.process import measure

ROWS = "1000,10000,100000,1000000"
ROUNDS = 5
SEED = 42

def make_texts(data, folder, sizes):
    """Writes FOLDER/N.jsonl for each N. Runs in a process of its own."""
    lines = [
        json.dumps({"id": cve, "published": published and published.isoformat(), "description": text}) + "\n"
        for cve, published, text in data_set(data, "cve_id", "published", "description")
    ]
    random.Random(SEED).shuffle(lines)
    for size in sizes:
        with open(f"{folder}/{size}.jsonl", "w", encoding="utf-8") as out:
            out.writelines(lines[i % len(lines)] for i in range(size))


def peer(model_file, texts, k):
    """What a user of fastText would run; prints the seconds of its phases after loading."""
    import fasttext
    from fasttext_peer import line_of

    fasttext.FastText.eprint = lambda _: None  # a notice about versions before 0.9
    described = json.loads(model_file.with_suffix(".json").read_text())
    model = fasttext.load_model(str(model_file))
    loaded = time.perf_counter()
    lines = []
    with open(texts, encoding="utf-8") as records:
        for record in map(json.loads, records):
            year = year_of(record["id"], record["published"] and int(record["published"][:4]))
            lines.append(line_of(record["description"], year, described["newest_year"], described["settings"]))
    prepared = time.perf_counter()
    labels, _ = model.predict(lines, k=k)
    assert len(labels) == len(lines)
    print(json.dumps({"prepare": prepared - loaded, "predict": time.perf_counter() - prepared}))


def measured(command, answers):
    """Runs a command with standard output to the file `answers`: its figures, and the seconds of fastText's last phases."""
    with open(answers, "wb") as out:
        run = measure(command, out)
    return run, json.loads(pathlib.Path(answers).read_text()) if answers != os.devnull else {}


def variants(options, size, folder):
    """Names and commands of what is run for N records, with where its standard output goes."""
    texts = f"{folder}/{size}.jsonl"
    if options.vulnlens:
        for threads in (1, 2):
            asked = ["--model", options.vulnlens_model, "--threads", str(threads)]
            asked += ["--input", texts, "--input-format", "jsonl", "--format", "jsonl"]
            yield f"vulnlens, {options.vulnlens_model}, {threads} thread{'s'[: threads - 1]}", [options.vulnlens, "classify", *asked], os.devnull
    if size <= options.peer_limit:
        for k in (1, 50):
            command = [sys.executable, __file__, "--model", str(options.model), "--peer", texts, str(k)]
            yield f"fastText, k={k}", command, f"{folder}/phases.json"


def rows_of(name, runs):
    """The lines of the table for one variant: name, seconds of each run, and whether they are of the whole process."""
    yield name, [run.wall for run, _ in runs], True
    if name.startswith("fastText"):
        yield "… without loading", [phases["prepare"] + phases["predict"] for _, phases in runs], False
        yield "… predict only", [phases["predict"] for _, phases in runs], False


def print_size(size, measurements):
    """The lines of the table for N records; a ratio is of medians, and above 1 where vulnlens is faster."""
    ours = [
        statistics.median(run.wall for run, _ in runs)
        for name, runs in measurements.items()
        if name.startswith("vulnlens")
    ]
    for variant, runs in measurements.items():
        for name, seconds, whole in rows_of(variant, runs):
            median = statistics.median(seconds)
            cpu = f"{statistics.median(run.cpu for run, _ in runs):.2f}" if whole else ""
            peak = f"{statistics.median(run.peak_mb for run, _ in runs):,.0f}" if whole else ""
            cells = [f"{size:,}", name, f"{median:.3f}", f"{min(seconds):.3f}–{max(seconds):.3f}"]
            cells += [f"{size / median:,.0f}", cpu, peak, *(f"{median / our:.2f}" for our in ours)]
            print("| " + " | ".join(cells) + " |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=pathlib.Path, help="a data set in Parquet")
    parser.add_argument("--model", type=pathlib.Path, required=True, help="SPLIT.bin that tools/fasttext_peer.py wrote")
    parser.add_argument("--vulnlens", help="the built program; without it, only fastText is measured")
    parser.add_argument("--vulnlens-model", default="fast", help="fast or accurate [default: fast]")
    parser.add_argument("--rows", default=ROWS, help=f"numbers of records [default: {ROWS}]")
    parser.add_argument("--peer-limit", type=int, default=100_000, help="most records that fastText is given")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--peer", nargs=2, metavar=("TEXTS", "K"), help=argparse.SUPPRESS)
    parser.add_argument("--make-texts", metavar="FOLDER", help=argparse.SUPPRESS)
    options = parser.parse_args()
    sizes = [int(size) for size in options.rows.split(",")]
    if options.peer:
        peer(options.model, options.peer[0], int(options.peer[1]))
        return
    if options.data is None:
        parser.error("--data is needed")
    if options.make_texts:
        make_texts(options.data, options.make_texts, sizes)
        return

    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, __file__, *sys.argv[1:], "--make-texts", folder], check=True)
        print(f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores, load before")
        print(f"{os.getloadavg()[0]:.2f}; medians of {options.rounds} interleaved rounds. The last columns divide a line's")
        print("seconds by those of the whole process of vulnlens.\n")
        ratios = " × 1 thread | × 2 threads |" if options.vulnlens else ""
        print(f"| records | | s | range | records/s | CPU s | peak MB |{ratios}")
        print("|--:|---|--:|---|--:|--:|--:|" + "--:|" * ratios.count("×"))
        for size in sizes:
            measurements = {}
            for _ in range(options.rounds):
                for name, command, answers in variants(options, size, folder):
                    measurements.setdefault(name, []).append(measured(command, answers))
            print_size(size, measurements)


if __name__ == "__main__":
    main()
