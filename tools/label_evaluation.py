"""Records what scikit-learn says of a checkpoint's labels, for the test of `evaluate` in crates/cli.

    python3 -m venv /path/outside/the/repository
    .../bin/pip install numpy==2.4.6 scikit-learn==1.9.1
    .../bin/python tools/label_evaluation.py

writes crates/cli/tests/data/label_evaluation.json: made-up assignments of CWE ids to some of the texts of
crates/encoder/tests/fixtures, and the figures of the tiny DistilBERT there, whose scores are those that transformers
gave it. The same versions write the same bytes.

An ancestor that an assigned id has is a label, too; the checkpoint has none of them, so they are in no table.
"""

import json
import pathlib
import warnings

import numpy as np
import sklearn
from sklearn import metrics as skm

ROOT = pathlib.Path(__file__).parent.parent
FIXTURES = ROOT / "crates/encoder/tests/fixtures"
TARGET = ROOT / "crates/cli/tests/data/label_evaluation.json"

# Text numbers with the ids that are made up for them. CWE-264 is a category, CWE-119 an ancestor of CWE-787 and CWE-74
# one of CWE-79 and CWE-89; the checkpoint has a label for the first alone.
ASSIGNED = {
    32: [787], 34: [264], 38: [787, 416], 40: [787], 41: [79], 42: [89], 43: [119], 44: [416], 45: [22],
    46: [264, 79], 47: [22, 89], 48: [74], 49: [79, 89, 787],
}
RELATED = {119: {787}, 74: {79, 89}}
CATEGORIES = {264}
# CWE-999999 is not in the catalogue: a label of the task with categories alone.
UNKNOWN = {999_999}


def figures(labels, rows):
    """The figures of the rows that have one of the labels; `rows` are (assigned ids, scores by label)."""
    rows = [(assigned, scores) for assigned, scores in rows if set(assigned) & set(labels)]
    gold = np.array([[label in assigned for label in labels] for assigned, _ in rows], dtype=int)
    scores = np.array([[scores[label] for label in labels] for _, scores in rows])
    predicted = (scores >= 0.5).astype(int)
    out = {"rows": len(rows), "labels": len(labels), "subset_accuracy": skm.accuracy_score(gold, predicted)}
    for average in ("micro", "macro", "weighted", "samples"):
        precision, recall, f1, _ = skm.precision_recall_fscore_support(
            gold, predicted, average=average, zero_division=0
        )
        out |= {f"{average}_f1": f1}
        if average in ("micro", "macro"):
            out |= {f"{average}_precision": precision, f"{average}_recall": recall}
    out["hamming_loss"] = skm.hamming_loss(gold, predicted)
    out["coverage_error"] = skm.coverage_error(gold, scores)
    out["lrap"] = skm.label_ranking_average_precision_score(gold, scores)
    out["label_ranking_loss"] = skm.label_ranking_loss(gold, scores)
    return {name: float(value) if isinstance(value, float) else int(value) for name, value in out.items()}


def main():
    """Writes the file."""
    warnings.simplefilter("error")
    texts = json.loads((FIXTURES / "texts.json").read_text())
    expected = json.loads((FIXTURES / "distilbert/expected.json").read_text())
    labels = sorted(int(label.removeprefix("CWE-")) for label in expected["labels"])
    place = {int(label.removeprefix("CWE-")): at for at, label in enumerate(expected["labels"])}
    rows = [
        (assigned, {label: np.float32(expected["scores"][text][at]) for label, at in place.items()})
        for text, assigned in ASSIGNED.items()
    ]
    first = [max(labels, key=lambda label: (scores[label], -label)) for _, scores in rows]
    exact = [label in assigned for label, (assigned, _) in zip(first, rows)]
    related = [
        hit or any(label in RELATED.get(one, ()) for one in assigned)
        for hit, label, (assigned, _) in zip(exact, first, rows)
    ]
    only_weaknesses = [row for row in rows if not set(row[0]) & CATEGORIES]
    result = {
        "made_by": "tools/label_evaluation.py",
        "versions": {"scikit-learn": sklearn.__version__, "numpy": np.__version__},
        "records": [{"text": texts[text], "cwes": assigned} for text, assigned in ASSIGNED.items()],
        "reference-cwe": figures(labels, rows),
        "reference-weaknesses": figures(
            [label for label in labels if label not in CATEGORIES | UNKNOWN], only_weaknesses
        ),
        "first_cwe": {
            "records": len(rows),
            "exact": sum(exact) / len(rows),
            "related": sum(related) / len(rows),
        },
    }
    TARGET.write_text(json.dumps(result, indent=1, ensure_ascii=True) + "\n")


if __name__ == "__main__":
    main()
