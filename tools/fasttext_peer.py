"""fastText on our texts, parts and CWE sets: the peer for quality and speed.

    python3.11 -m venv /path/outside/the/repository
    .../bin/pip install fasttext-wheel==0.9.2 numpy==1.26.4 pyarrow==18.1.0
    .../bin/python tools/fasttext_peer.py --data DATASET.parquet --split random --out FOLDER
    .../bin/python tools/fasttext_peer.py --data DATASET.parquet --split temporal --out FOLDER

(The wheel needs NumPy below 2, and pyarrow that works with it; wheels of both exist for Python 3.11.)
DATASET.parquet is what `vulnlens data build` writes. FOLDER gets, for each split:

    SPLIT.bin, SPLIT.json                           the model; its settings, newest year and figures
    SPLIT-validation.jsonl, SPLIT-test.jsonl        for `vulnlens evaluate --peer fastText=FOLDER`

one line a labelled record, `{"id": "CVE-…", "sets": {"CWE-79": 0.93, "CWE-74+CWE-89": 0.02}}`, with
the 50 most probable CWE sets. The first line lists every set of the training part, so that
whoever reads the file knows the whole label space.

A label of fastText is a record's whole CWE set (`__label__74_89`), as it is for our model; only
labelled records are fitted on. The record's year, which our model is given too, is a word at the
head of the text; a year past the newest of training counts as the newest.

`--tune` chooses the settings on the validation part, one after the other (see GRID), by the highest
micro-F1 of ATT&CK techniques, and writes FOLDER/settings.json with every trial; a copy of it is
committed as tools/fasttext_settings.json, which later runs use. It was tuned on the random split of the
corpus of November 2026. The temporal split's own validation part was then asked whether it prefers the rate
and the words of the settings before (`temporal_trials` there); it does, by .0017, and `temporal` overrides.
Each trial is one run: fastText on two threads is not deterministic (Hogwild). A second run of the chosen
settings gave .0014 less than the first, so trials closer than that say little.
"""

import argparse
import json
import os
import pathlib
import platform
import re
import time
from collections import namedtuple

from vulnlens_tools.corpus import data_set, year_of
from vulnlens_tools.process import MB

SETTINGS = pathlib.Path(__file__).with_name("fasttext_settings.json")
THREADS = 2
LISTED_SETS = 50
# What `vulnlens evaluate --peer` gives to a set that a line does not mention.
UNMENTIONED = 1e-7
BATCH = 2_000

# Tuning starts here, at what it chose on the first corpus, …
START = {
    "tokens": "words",
    "year_words": 1,
    "wordNgrams": 2,
    "dim": 64,
    "lr": 0.5,
    "epoch": 10,
    "minCount": 1,
    "bucket": 1_000_000,
}
# … and tries these in this order, keeping each that is better than what it varies.
GRID = [
    ("epoch", [5, 15]),
    ("lr", [0.3]),
    ("minCount", [2]),
    ("year_words", [4]),
    ("dim", [100]),
    ("bucket", [2_000_000]),
]
RULE = (
    "highest micro-F1 of ATT&CK techniques on the validation part of the random split, over records with a technique, "
    "each technique's probability being summed over the sets that lead to it, given that there is some technique, "
    "and decided at the one threshold of 0.200, 0.225, … 0.600 that is best"
)

WORD = re.compile(r"\w+")
Record = namedtuple("Record", "id year text cwes techniques part")


def read_records(file, split):
    """The labelled records of a data set, each with its part of the split."""
    rows = data_set(file, "cve_id", "published", "description", "cwe_ids", "attack_ids", f"split_{split}")
    return [
        Record(cve, year_of(cve, published and published.year), text, tuple(cwes), tuple(techniques), part)
        for cve, published, text, cwes, techniques, part in rows
        if cwes
    ]


def line_of(text, year, newest_year, settings):
    """A record as fastText reads it: one line of words, the year first."""
    words = WORD.findall(text.lower()) if settings["tokens"] == "words" else text.split()
    return " ".join([f"year{min(year, newest_year)}"] * settings["year_words"] + words)


def label_of(cwes):
    return "__label__" + "_".join(cwe.removeprefix("CWE-") for cwe in cwes)


def cwes_of(label):
    return tuple("CWE-" + number for number in label.removeprefix("__label__").split("_"))


class Peer:
    """A fitted fastText model with what its texts are prepared by."""

    def __init__(self, model, settings, newest_year):
        self.model, self.settings, self.newest_year = model, settings, newest_year

    @classmethod
    def fit(cls, records, settings, folder):
        """Fits on the training part; gives the peer and the seconds it took."""
        import fasttext

        train = [record for record in records if record.part == "train"]
        newest_year = max(record.year for record in train)
        file = folder / "train.txt"
        with file.open("w", encoding="utf-8") as out:
            for record in train:
                line = line_of(record.text, record.year, newest_year, settings)
                out.write(f"{label_of(record.cwes)} {line.replace('__label__', '')}\n")
        asked = {name: value for name, value in settings.items() if name not in ("tokens", "year_words")}
        start = time.perf_counter()
        model = fasttext.train_supervised(str(file), loss="softmax", thread=THREADS, verbose=0, **asked)
        seconds = time.perf_counter() - start
        file.unlink()
        return cls(model, settings, newest_year), seconds

    def lines(self, records):
        return [line_of(record.text, record.year, self.newest_year, self.settings) for record in records]

    def distributions(self, records, k=LISTED_SETS):
        """For each record its k most probable labels with their probabilities, at most 1."""
        for start in range(0, len(records), BATCH):
            labels, probabilities = self.model.predict(self.lines(records[start : start + BATCH]), k=k)
            for row, values in zip(labels, probabilities, strict=True):
                yield row, [min(float(value), 1.0) for value in values]


def validation_figures(peer, records):
    """How well the peer does on these records; see RULE."""
    import numpy as np

    chain = {label_of(record.cwes): record.techniques for record in records}
    techniques = sorted({technique for row in chain.values() for technique in row})
    column = {technique: i for i, technique in enumerate(techniques)}
    columns = {label: [column[t] for t in row] for label, row in chain.items()}
    rows = [record for record in records if record.part == "validation"]
    marginals = np.zeros((len(rows), len(techniques)), dtype=np.float32)
    gold = np.zeros((len(rows), len(techniques)), dtype=bool)
    right, log_likelihood = 0, 0.0
    for i, (record, (labels, probabilities)) in enumerate(zip(rows, peer.distributions(rows), strict=True)):
        truth, some = label_of(record.cwes), 0.0
        right += labels[0] == truth
        listed = dict(zip(labels, probabilities, strict=True))
        log_likelihood += np.log(max(listed.get(truth, 0.0), UNMENTIONED))
        gold[i, columns[truth]] = True
        for label, probability in listed.items():
            if columns[label]:
                marginals[i, columns[label]] += probability
                some += probability
        marginals[i] /= max(some, UNMENTIONED)
    task = gold.any(axis=1)
    gold, marginals = gold[task], marginals[task]
    f1 = {}
    for step in range(17):
        predicted = marginals >= 0.2 + 0.025 * step
        f1[round(0.2 + 0.025 * step, 3)] = 2 * (gold & predicted).sum() / (gold.sum() + predicted.sum())
    threshold = max(f1, key=f1.get)
    return {
        "technique_micro_f1": round(float(f1[threshold]), 5),
        "threshold": threshold,
        "set_accuracy": round(right / len(rows), 5),
        "log_likelihood": round(float(log_likelihood / len(rows)), 5),
    }


def tune(records, folder):
    """Tries the grid and gives the best settings."""
    trials = []

    def trial(settings):
        peer, seconds = Peer.fit(records, settings, folder)
        figures = validation_figures(peer, records)
        trials.append({"settings": settings, **figures, "training_seconds": round(seconds, 1)})
        print(json.dumps(trials[-1]), flush=True)
        best = max(trials, key=lambda trial: trial["technique_micro_f1"])
        tuned = {"settings": best["settings"], "rule": RULE, "threads": THREADS, "trials": trials}
        (folder / "settings.json").write_text(json.dumps(tuned, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        return best["settings"]

    best = trial(START)
    for name, values in GRID:
        base = best
        for value in values:
            best = trial({**base, name: value})
    return best


def write_scores(peer, records, file):
    """The answers for `vulnlens evaluate --peer`."""
    every = peer.distributions(records[:1], k=-1)
    with file.open("w", encoding="utf-8") as out:
        for i, (record, row) in enumerate(zip(records, peer.distributions(records), strict=True)):
            labels, probabilities = next(every) if i == 0 else row
            sets = {
                "+".join(cwes_of(label)): round(value, 7)
                for label, value in zip(labels, probabilities, strict=True)
            }
            out.write(json.dumps({"id": record.id, "sets": sets}, separators=(",", ":")) + "\n")


def descriptions_a_second(peer, lines, k):
    """Of one call over all lines (fastText predicts on one thread); preparing them is not counted."""
    start = time.perf_counter()
    peer.model.predict(lines, k=k)
    return round(len(lines) / (time.perf_counter() - start))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=pathlib.Path, required=True, help="a data set in Parquet")
    parser.add_argument("--split", choices=["random", "temporal"], required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True, help="folder for what is written")
    parser.add_argument("--tune", action="store_true", help="choose the settings on the validation part")
    parser.add_argument("--settings", type=pathlib.Path, default=SETTINGS, help="settings that --tune chose")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    records = read_records(options.data, options.split)
    if options.tune:
        settings = tune(records, options.out)
    else:
        tuned = json.loads(options.settings.read_text())
        settings = {**tuned["settings"], **tuned.get(options.split, {})}

    peer, seconds = Peer.fit(records, settings, options.out)
    model_file = options.out / f"{options.split}.bin"
    peer.model.save_model(str(model_file))
    for part in ("validation", "test"):
        rows = [record for record in records if record.part == part]
        write_scores(peer, rows, options.out / f"{options.split}-{part}.jsonl")
    lines = peer.lines([record for record in records if record.part == "validation"])
    summary = {
        "split": options.split,
        "settings": settings,
        "newest_year": peer.newest_year,
        "validation": validation_figures(peer, records),
        "training_seconds": round(seconds, 1),
        "model_mb": round(model_file.stat().st_size / MB, 1),
        "descriptions_a_second": {f"k={k}": descriptions_a_second(peer, lines, k) for k in (1, LISTED_SETS)},
        "python": platform.python_version(),
        "cores": os.cpu_count(),
    }
    (options.out / f"{options.split}.json").write_text(json.dumps(summary, indent=1) + "\n")
    print(json.dumps(summary, indent=1))


if __name__ == "__main__":
    main()
