"""The metrics table of 28,000 rows x 175 labels: scikit-learn against crates/metrics.

    python3 -m venv /path/outside/the/repository
    .../bin/pip install numpy==2.4.6 scikit-learn==1.9.1
    cargo build --release -p vulnlens-metrics --example table
    .../bin/python benches/metrics_vs_sklearn.py target/release/examples/table

Makes a seeded random case, writes it to a temporary file, and times both on it in turn, one core
each (and once more the Rust code on two), medians of 5 rounds. Both start from the case in memory:
reading the file and starting the process are not timed. scikit-learn is given the 0/1 matrices;
the Rust time includes making its label lists from the same matrices. Checks that all figures
agree to 1e-9, and prints Markdown.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
import warnings

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np  # noqa: E402
import sklearn  # noqa: E402
from sklearn import metrics as skm  # noqa: E402

SEED = 42
ROUNDS = 5


def make_case(rows, labels, labels_per_row):
    """Gold labels of falling frequency, scores that lean towards them, decisions at 0.5."""
    rng = np.random.default_rng(SEED)
    frequency = 1 / np.arange(1, labels + 1) ** 0.7
    frequency = np.minimum(frequency * labels_per_row / frequency.sum(), 0.95)
    gold = rng.random((rows, labels)) < frequency
    scores = (0.44 * gold + 0.53 * rng.random((rows, labels))).astype(np.float32)
    # A tenth of the rows gets coarse scores, for ties.
    scores[::10] = np.round(scores[::10] * 8) / 8
    return gold.astype(np.uint8), (scores >= 0.5).astype(np.uint8), scores


def ranking_at_cutoffs(gold, scores):
    """MRR, P@k and R@k in vectorised NumPy, which is what a user of scikit-learn would write."""
    relevant = gold.astype(bool)
    some = relevant.any(axis=1)
    relevant, scores = relevant[some], scores[some]
    best = np.where(relevant, scores, -np.inf).max(axis=1, keepdims=True)
    figures = {"mrr": (1 / (1 + (~relevant & (scores >= best)).sum(axis=1))).mean()}
    hits = np.take_along_axis(relevant, np.argsort(-scores, axis=1, kind="stable")[:, :5], axis=1)
    for k in (1, 3, 5):
        found = hits[:, :k].sum(axis=1)
        figures[f"precision_at_{k}"] = (found / k).mean()
        figures[f"recall_at_{k}"] = (found / relevant.sum(axis=1)).mean()
    return figures


def sklearn_table(gold, predicted, scores):
    """The same table by scikit-learn."""
    figures = {
        "lrap": skm.label_ranking_average_precision_score(gold, scores),
        "coverage_error": skm.coverage_error(gold, scores),
        "label_ranking_loss": skm.label_ranking_loss(gold, scores),
        "hamming_loss": skm.hamming_loss(gold, predicted),
        "subset_accuracy": skm.accuracy_score(gold, predicted),
        "samples_f1": skm.f1_score(gold, predicted, average="samples", zero_division=0),
        "weighted_f1": skm.f1_score(gold, predicted, average="weighted", zero_division=0),
        **ranking_at_cutoffs(gold, scores),
    }
    for average in ("micro", "macro"):
        p, r, f, _ = skm.precision_recall_fscore_support(gold, predicted, average=average, zero_division=0)
        figures |= {f"{average}_precision": p, f"{average}_recall": r, f"{average}_f1": f}
    p, r, f, support = skm.precision_recall_fscore_support(gold, predicted, average=None, zero_division=0)
    figures["per_label"] = {"precision": p, "recall": r, "f1": f, "support": support}
    return figures


def largest_difference(expected, found):
    """The largest difference over all figures, those of each label included."""
    differences = [abs(value - found[name]) for name, value in expected.items() if name != "per_label"]
    for column, values in expected["per_label"].items():
        differences += [abs(value - row[column]) for value, row in zip(values, found["per_label"], strict=True)]
    return float(max(differences))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", help="the built example `table` of vulnlens-metrics")
    parser.add_argument("--rows", type=int, default=28_000)
    parser.add_argument("--labels", type=int, default=175)
    parser.add_argument("--labels-per-row", type=float, default=12)
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    gold, predicted, scores = make_case(options.rows, options.labels, options.labels_per_row)
    times = {"scikit-learn": [], "one": [], "one, table only": [], "two": []}
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder, "case.bin")
        header = np.array([options.rows, options.labels], dtype="<u4")
        file.write_bytes(header.tobytes() + scores.astype("<f4").tobytes() + gold.tobytes() + predicted.tobytes())
        for _ in range(ROUNDS):
            start = time.perf_counter()
            expected = sklearn_table(gold, predicted, scores)
            times["scikit-learn"].append(1e3 * (time.perf_counter() - start))
            for threads, key in (("1", "one"), ("2", "two")):
                answer = json.loads(subprocess.check_output([options.program, file, threads]))
                difference = largest_difference(expected, answer["table"])
                if not difference <= 1e-9:
                    sys.exit(f"the figures differ by {difference}")
                times[key].append(answer["from_matrices_ms"])
                if threads == "1":
                    times["one, table only"].append(answer["table_ms"])
    median = {key: statistics.median(values) for key, values in times.items()}
    spread = {key: f"{min(values):,.1f}–{max(values):,.1f}" for key, values in times.items()}
    peer = median["scikit-learn"]
    print(f"{options.rows:,} rows x {options.labels} labels, {gold.sum() / len(gold):.1f} gold labels a row, seed {SEED};")
    print(f"scikit-learn {sklearn.__version__}, NumPy {np.__version__}; median of {ROUNDS} interleaved rounds;")
    print(f"largest difference of any figure {difference:.1e}\n")
    print("| | ms | range | times faster |\n|---|--:|--:|--:|")
    print(f"| scikit-learn + NumPy, one core | {peer:,.1f} | {spread['scikit-learn']} | 1 |")
    for key, name in (
        ("one", "vulnlens-metrics, one core"),
        ("one, table only", "… of which the table itself (label lists given)"),
        ("two", "vulnlens-metrics, two cores"),
    ):
        print(f"| {name} | {median[key]:,.1f} | {spread[key]} | {peer / median[key]:,.0f} |")


if __name__ == "__main__":
    main()
