"""Records what scikit-learn says about many small cases, for the tests of crates/metrics.

    python3 -m venv /path/outside/the/repository
    .../bin/pip install numpy==2.4.6 scikit-learn==1.9.1
    .../bin/python tools/reference_metrics.py

writes crates/metrics/tests/data/reference.json; the versions and the seed stand in the file. The
same versions write the same bytes.

scikit-learn has no MRR, P@k and R@k; they are computed here with NumPy from the
definitions that crates/metrics/src/table.rs documents. scikit-learn refuses a label space of one
label for some figures; there, a second label that never applies, is never predicted and scores
below the first is added, which changes none of the figures that are then asked for.
"""

import json
import pathlib
import sys
import warnings

import numpy as np
import scipy
import sklearn
from sklearn import metrics as skm
from sklearn.calibration import calibration_curve

SEED = 20_260_101
TARGET = pathlib.Path(__file__).parent.parent / "crates/metrics/tests/data/reference.json"


def ranking_at_cutoffs(gold, scores):
    """MRR (others that tie with the best gold label stand before it), P@k and R@k (stable order) over rows with labels."""
    rows = [i for i in range(len(gold)) if gold[i].any()]
    figures = {"rows_with_labels": len(rows), "mrr": 0.0}
    for k in (1, 3, 5):
        figures[f"precision_at_{k}"] = figures[f"recall_at_{k}"] = 0.0
    for i in rows:
        relevant = gold[i].astype(bool)
        figures["mrr"] += 1 / (1 + (scores[i][~relevant] >= scores[i][relevant].max()).sum()) / len(rows)
        order = np.argsort(-scores[i], kind="stable")
        for k in (1, 3, 5):
            hits = relevant[order[:k]].sum()
            figures[f"precision_at_{k}"] += hits / k / len(rows)
            figures[f"recall_at_{k}"] += hits / relevant.sum() / len(rows)
    return figures


def widened(gold, predicted, scores):
    """The case with an irrelevant last label added, where it has one label only."""
    if gold.shape[1] > 1:
        return gold, predicted, scores
    no = np.zeros((len(gold), 1), dtype=gold.dtype)
    return np.hstack([gold, no]), np.hstack([predicted, no]), np.hstack([scores, scores - 1])


def averages(gold, predicted):
    """Precision, recall and F1 under each of scikit-learn's averages, and for each label."""
    labels = gold.shape[1]
    if labels == 1:
        gold, predicted, wanted = gold[:, 0], predicted[:, 0], [1]
    else:
        wanted = None
    figures = {}
    for average in ("micro", "macro", "weighted"):
        p, r, f, _ = skm.precision_recall_fscore_support(
            gold, predicted, average=average, labels=wanted, zero_division=0
        )
        if average != "weighted":
            figures |= {f"{average}_precision": p, f"{average}_recall": r}
        figures[f"{average}_f1"] = f
    columns = skm.precision_recall_fscore_support(gold, predicted, average=None, labels=wanted, zero_division=0)
    names = ("precision", "recall", "f1", "support")
    figures["per_label"] = {name: column.tolist() for name, column in zip(names, columns, strict=True)}
    return figures


def table(gold, predicted, scores):
    """All figures of one case."""
    wide_gold, wide_predicted, wide_scores = widened(gold, predicted, scores)
    return {
        "rows": len(gold),
        "labels": gold.shape[1],
        "labels_with_support": int(gold.any(axis=0).sum()),
        "mean_labels_per_row": gold.sum() / len(gold),
        "mean_predicted_per_row": predicted.sum() / len(gold),
        "lrap": skm.label_ranking_average_precision_score(wide_gold, wide_scores),
        "coverage_error": skm.coverage_error(wide_gold, wide_scores),
        "label_ranking_loss": skm.label_ranking_loss(wide_gold, wide_scores),
        "samples_f1": skm.f1_score(wide_gold, wide_predicted, average="samples", zero_division=0),
        "hamming_loss": skm.hamming_loss(gold, predicted),
        "subset_accuracy": skm.accuracy_score(gold, predicted),
        **ranking_at_cutoffs(gold, scores),
        **averages(gold, predicted),
    }


def best_threshold(gold, scores):
    """By trial of every score, the highest threshold of highest F1 over the flattened cells."""
    gold, scores = gold.ravel(), scores.ravel()
    if not gold.any():
        return None
    best = (-1.0, 0.0)
    for threshold in np.unique(scores)[::-1]:
        f1 = skm.f1_score(gold, scores >= threshold, zero_division=0)
        # Equal fractions may differ in the last bit; a later, lower threshold must be better.
        if f1 > best[0] + 1e-12:
            best = (f1, threshold)
    return {"threshold": float(best[1]), "f1": float(best[0])}


def case(name, gold, scores, predicted=None):
    """One case with its expected values; predictions default to score ≥ 0.5."""
    gold = np.asarray(gold, dtype=np.int64)
    scores = np.asarray(scores, dtype=np.float32).astype(np.float64)
    predicted = (scores >= 0.5).astype(np.int64) if predicted is None else np.asarray(predicted, dtype=np.int64)
    assert gold.shape == scores.shape == predicted.shape, name
    return {
        "name": name,
        "scores": [[float(np.format_float_positional(np.float32(s), unique=True)) for s in row] for row in scores],
        "gold": [np.flatnonzero(row).tolist() for row in gold],
        "predicted": [np.flatnonzero(row).tolist() for row in predicted],
        "table": table(gold, predicted, scores),
        "global_threshold": best_threshold(gold, scores),
        "label_thresholds": [best_threshold(gold[:, [j]], scores[:, [j]]) for j in range(gold.shape[1])],
    }


def random_case(rng, name, rows, labels, density, levels=None):
    """Gold labels of the given density; scores that lean towards them, on `levels` values if given."""
    gold = rng.random((rows, labels)) < density
    scores = np.clip(0.35 * gold + 0.75 * rng.random((rows, labels)), 0, 1)
    levels = levels or 10_000
    scores = np.round(scores * levels) / levels
    return case(name, gold, scores)


def special_cases(rng):
    """Cases on the edges of the definitions."""
    eye = np.eye(4, dtype=int)
    return [
        case("perfect", eye, eye * 0.8 + 0.1),
        case("reversed", eye, 0.9 - eye * 0.8),
        case("one row", [[0, 1, 0, 1]], [[0.9, 0.8, 0.1, 0.2]]),
        case("one row, all labels", [[1, 1, 1]], [[0.9, 0.1, 0.5]]),
        case("one row, no label", [[0, 0, 0]], [[0.9, 0.1, 0.5]]),
        case("one row, no label, none predicted", [[0, 0, 0]], [[0.1, 0.1, 0.2]]),
        case("one label", [[1], [0], [1], [0]], [[0.9], [0.8], [0.2], [0.1]]),
        case("one label, always", [[1], [1]], [[0.9], [0.2]]),
        case("one label, never", [[0], [0]], [[0.9], [0.2]]),
        case("one label, one row", [[1]], [[0.7]]),
        case("all rows empty", np.zeros((3, 5)), rng.random((3, 5))),
        case("all rows full", np.ones((3, 5)), rng.random((3, 5))),
        case("empty, full and usual rows", [[0, 0, 0], [1, 1, 1], [0, 1, 0]], [[0.2, 0.7, 0.6], [0.5, 0.4, 0.3], [0.3, 0.2, 0.1]]),
        case("constant scores", rng.random((6, 7)) < 0.4, np.full((6, 7), 0.5)),
        case("constant zero scores", rng.random((6, 7)) < 0.4, np.zeros((6, 7))),
        case("both zeros tie", [[0, 1, 0, 1]], [[0.0, -0.0, -0.0, 0.0]]),
        case("tie of gold and other at the top", [[0, 1, 0], [1, 0, 0]], [[0.7, 0.7, 0.1], [0.7, 0.7, 0.1]]),
        case("tie across the cutoffs", [[0, 0, 1, 1, 0, 1, 1, 0]], [[0.9, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.1]]),
        case("labels without positives", np.hstack([rng.random((8, 3)) < 0.5, np.zeros((8, 3))]), rng.random((8, 6))),
        case("labels never predicted", rng.random((8, 4)) < 0.5, rng.random((8, 4)) * [1, 1, 0.4, 0.4]),
        case("nothing predicted", rng.random((5, 4)) < 0.5, rng.random((5, 4)) * 0.4),
        case("everything predicted", rng.random((5, 4)) < 0.5, 0.5 + rng.random((5, 4)) * 0.4),
        case("negative and large scores", rng.random((6, 5)) < 0.4, rng.normal(size=(6, 5)) * 1e6),
        case("tiny differences", [[1, 0, 1, 0]], np.nextafter(np.float32(0.5), np.float32([[1, 0.5, 0, 1]]))),
        case("predictions unrelated to scores", rng.random((9, 6)) < 0.4, rng.random((9, 6)), rng.random((9, 6)) < 0.5),
        case("two labels", rng.random((10, 2)) < 0.5, rng.random((10, 2))),
    ]


def main():
    warnings.filterwarnings("ignore", category=sklearn.exceptions.UndefinedMetricWarning)
    rng = np.random.default_rng(SEED)
    cases = special_cases(rng)
    for rows, labels, density in ((20, 6, 0.3), (40, 17, 0.1), (12, 90, 0.05), (6, 100, 0.8), (30, 3, 0.6)):
        name = f"random {rows}x{labels}, density {density}"
        cases.append(random_case(rng, name, rows, labels, density))
        cases.append(random_case(rng, name + ", scores on 5 levels", rows, labels, density, levels=4))
        cases.append(random_case(rng, name + ", scores 0 or 1", rows, labels, density, levels=1))
    probabilities = np.round(rng.random(200), 3).astype(np.float32)
    outcomes = rng.random(200) < probabilities**1.5
    content = {
        "made_by": "tools/reference_metrics.py",
        "versions": {"python": sys.version.split()[0], "numpy": np.__version__, "scipy": scipy.__version__, "scikit-learn": sklearn.__version__},
        "seed": SEED,
        "calibration": [calibration(name, bins, p, o) for name, bins, p, o in (
            ("random", 10, probabilities, outcomes),
            ("random, 15 bins", 15, probabilities, outcomes),
            ("on the edges", 4, np.float32([0, 0.25, 0.25, 0.5, 0.75, 0.75, 1, 1]), np.array([0, 1, 0, 1, 0, 1, 1, 0]) > 0),
            ("one bin", 1, probabilities[:20], outcomes[:20]),
        )],
        "cases": cases,
    }
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    # One case a line keeps the file small and its changes readable.
    head = {key: value for key, value in content.items() if key != "cases"}
    lines = ",\n".join(json.dumps(c, separators=(",", ":"), default=float) for c in cases)
    TARGET.write_text(json.dumps(head, separators=(",", ":"))[:-1] + ',\n"cases":[\n' + lines + "\n]}\n")
    print(f"{len(cases)} cases, {TARGET.stat().st_size} bytes: {TARGET}")


def calibration(name, bins, probabilities, outcomes):
    """Brier score and reliability of (probability, outcome) pairs; empty bins left out."""
    exact = probabilities.astype(np.float64)
    frequency, mean = calibration_curve(outcomes, exact, n_bins=bins, strategy="uniform")
    which = np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], exact)
    counts = np.bincount(which, minlength=bins)
    return {
        "name": name,
        "bins": bins,
        "probabilities": [float(np.format_float_positional(p, unique=True)) for p in probabilities],
        "outcomes": outcomes.tolist(),
        "counts": counts.tolist(),
        "mean_probability": mean.tolist(),
        "observed_frequency": frequency.tolist(),
        "brier_score": skm.brier_score_loss(outcomes, exact),
        "expected_calibration_error": float((counts[counts > 0] * np.abs(mean - frequency)).sum() / len(exact)),
    }


if __name__ == "__main__":
    main()
