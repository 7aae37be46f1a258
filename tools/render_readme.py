"""Renders the parts of the documentation that the program or an evaluation file states, so that nobody types them.

    python3 tools/render_readme.py target/release/vulnlens
    python3 tools/render_readme.py --tables | --check

Replaces the marked sections of README.md, docs/*.md and benches/README.md by the output of the commands below and by
tables of crates/model-*/*.evaluation.json (which `vulnlens evaluate --out` wrote), and writes crates/model-*/*.md by
`vulnlens model card`. With --tables it writes only those tables that need no program, with --check it compares them with
the evaluation files. A test in crates/evaluation compares the large tables.
"""

import json
import re
import subprocess
import sys

from vulnlens_tools import fixtures

ROOT = fixtures.REPOSITORY
TEXT = (
    "The camera's web interface sends session cookies over plain HTTP, so an attacker on the same network can sniff them."
)
MODELS = ("fast", "accurate")
SPLITS = ("random", "temporal")
# The entry of a run that says how often the first CWE is right.
FIRST_CWE = "first-cwe"

# What stands below the head's figures in the card.
BESIDE = """CIRCL publishes recall@5 .673 ± .019 for its classifier of techniques, fitted and judged on other texts and another
label space: the two figures cannot be set against each other.
"""

# A tiny checkpoint, and one of the texts that it was asked.
CHECKPOINT = "roberta"
CHECKPOINT_TEXT = 47

# The rows of the README's table: a name, the task and the figure of an evaluation file, and what the reference's card
# and its paper state.
HEADLINE = (
    ("first CWE is one of the record's", FIRST_CWE, "exact", "not stated", "not stated"),
    ("… or an ancestor or descendant of one", FIRST_CWE, "related", "not stated", "not stated"),
    ("ATT&CK, micro-F1", "reference-attack", "micro_f1", ".817", "not stated"),
    ("ATT&CK, macro-F1", "reference-attack", "macro_f1", ".429", "not stated"),
    ("ATT&CK, weighted F1", "reference-attack", "weighted_f1", ".809", ".93"),
    ("CWE with ancestors, weighted F1", "reference-cwe", "weighted_f1", "not stated", ".90"),
)


def evaluation_file(model):
    return ROOT / f"crates/model-{model}/{model}.evaluation.json"


def runs_of(model):
    return json.loads(evaluation_file(model).read_text(encoding="utf-8"))["runs"]


def run(binary, *arguments):
    command = [binary, *arguments, "--color", "never"]
    return subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout


def section(text, name, content):
    pattern = re.compile(rf"(<!-- {name}: begin -->\n).*?(<!-- {name}: end -->)", re.DOTALL)
    assert pattern.search(text), name
    return pattern.sub(lambda found: found[1] + content + found[2], text)


def replace(file, **sections):
    path = ROOT / file
    text = path.read_text(encoding="utf-8")
    for name, content in sections.items():
        text = section(text, name, content)
    path.write_text(text, encoding="utf-8")


def figure(runs, model, split, task, name):
    """The mean over the seeds of a model, or "not measured"."""
    found = []
    for run in runs:
        if (run["system"], run["split"], run["part"]) == (model, split, "test"):
            tables = {entry["task"]: entry["table"] for entry in run["tasks"]} | {FIRST_CWE: run.get("first_cwe") or {}}
            found += [tables[task][name]] if name in tables.get(task, {}) else []
    return f"{sum(found) / len(found):.3f}"[1:] if found else "not measured"


def headline():
    """The README's table."""
    read = {name: runs_of(name) for name in MODELS}
    lines = [
        "| test part | `fast`, random | `fast`, 2025 | `accurate`, random | `accurate`, 2025 | reference's card | its paper |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for title, task, name, card, paper in HEADLINE:
        ours = [figure(runs, model, split, task, name) for model, runs in read.items() for split in SPLITS]
        lines.append(f"| {' | '.join([title, *ours, card, paper])} |")
    return "\n".join(lines) + "\n"


def first_cwes():
    """The table of first CWEs: a line for each run of the evaluation file."""
    lines = ["| system | split | seed | records | one of the record's | … or an ancestor or descendant |", "|---|---|--:|--:|--:|--:|"]
    for run in [run for model in MODELS for run in runs_of(model) if model == "fast" or run["system"] != "fast"]:
        found = run.get("first_cwe")
        if found is None:
            continue
        seed = run["seed"] if run["seed"] is not None else ""
        cells = [run["system"], run["split"], str(seed), str(found["records"])]
        lines.append(f"| {' | '.join(cells)} | {found['exact']:.4f} | {found['related']:.4f} |")
    return "\n".join(lines) + "\n"


CURATED_FIGURES = {
    "R@5": "recall_at_5",
    "R@3": "recall_at_3",
    "MRR": "mrr",
    "macro-F1": "macro_f1",
    "best macro-F1": "best_macro_f1",
    "KEV R@5": "kev_recall_at_5",
    "exploitation R@3": "exploitation_recall_at_3",
}


def curated():
    """The tables of the head of curated techniques, from what `train curated --splits --report` wrote."""
    report = json.loads((ROOT / "crates/model-fast/curated.evaluation.json").read_text(encoding="utf-8"))
    head = f"| system | {' | '.join(CURATED_FIGURES)} |\n|---|{'--:|' * len(CURATED_FIGURES)}\n"

    def rows(of, cell):
        return "".join(
            f"| {system} | {' | '.join(cell(figures[key]) for key in CURATED_FIGURES.values())} |\n"
            for system, figures in of
        )

    def spread(value):
        return f"{value['mean']:.3f} ± {value['deviation']:.3f}"

    projects = ", ".join(f"{name} {texts}" for name, texts in report["projects"])
    year, later, popularity, fitted = report["later"]
    both, jaccard, recall = report["between_projects"]
    described = report["described"]
    return (
        f"{report['texts'][0]} texts mapped by projects ({projects}), {report['texts'][1]} by other sources alone; "
        f"{report['splits']} splits\nwith {report['tested']:.0%} of the groups of nearly equal texts to judge on; "
        f"{report['techniques']:.0f} parent techniques.\n\n"
        + head
        + rows([(system["system"], system["figures"]) for system in report["systems"]], spread)
        + "\nThe head less each, split by split:\n\n"
        + head
        + rows([(system["system"], system["head_less_this"]) for system in report["systems"][:-1]], spread)
        + f"\nFitted on CVEs to {year}, judged on {later} later ones:\n\n"
        + head
        + rows([("popularity", popularity), ("the head", fitted)], "{:.3f}".format)
        + f"\nBy similarity to their descriptions alone, {described['techniques']} techniques with too few texts: of "
        f"{described['pairs']} pairs {described['recall_at_5']:.0%}\nstand among the first five and "
        f"{described['recall_at_20']:.0%} among the first twenty; the median rank is {described['median_rank']}.\n"
        + f"\nThe human ceiling: on the {both} texts that two projects mapped, their sets have a Jaccard index of {jaccard:.2f}, "
        f"and one\nhas {recall:.0%} of the other's techniques.\n"
    )


def checkpoint(binary):
    """The scores of one text by transformers, as recorded, and by the program."""
    text, expected = fixtures.texts()[CHECKPOINT_TEXT], fixtures.recorded(CHECKPOINT)
    folder = fixtures.FIXTURES / CHECKPOINT
    arguments = ["--model", str(folder), "--threshold", "0", "--top-k", "all", "--taxonomy", "cwe", "--format", "jsonl"]
    record = json.loads(run(binary, "classify", text, *arguments))
    ours = {label["label"]: label for label in record["cwe"]}
    lines = [f"`{CHECKPOINT}`: *{text}*", "", "| label | transformers | vulnlens | |", "|---|--:|--:|---|"]
    for label, score in zip(expected["labels"], expected["scores"][CHECKPOINT_TEXT], strict=True):
        found = ours[label if label.startswith("CWE-") else f"CWE-{label}"]
        about = found["name"] or found.get("status", "")
        lines.append(f"| {label} | {score:.6f} | {found['score']:.6f} | {about} |")
    return "\n".join(lines) + "\n"


SEVERITY_FIGURES = {
    "band": ("band_accuracy", ".3f"),
    "band, macro-F1": ("band_macro_f1", ".3f"),
    "whole vector": ("vector_accuracy", ".3f"),
    "score, mean error": ("score_error", ".2f"),
    "calibration error": ("band_calibration_error", ".3f"),
}


def severity():
    """The tables of the head of severities, from what `train severity --report` wrote for each split."""
    text = ""
    for split in reversed(SPLITS):
        path = ROOT / f"crates/model-fast/severity.{split}.evaluation.json"
        report = json.loads(path.read_text(encoding="utf-8"))
        records, others = report["fitted"]
        systems = [(system["system"], system["figures"]) for system in report["systems"]]
        of_source = [(f"… vectors of {source}", figures) for source, figures in report["by_source"].items()]
        text += (
            f"Split `{report['split']}`: fitted on {records} records and {others} texts in other styles, judged on "
            f"{report['tested']} records.\n\n"
            f"| answer | texts | {' | '.join(SEVERITY_FIGURES)} |\n|---|--:|{'--:|' * len(SEVERITY_FIGURES)}\n"
        )
        for name, figures in systems + of_source:
            cells = " | ".join(format(figures[key], form) for key, form in SEVERITY_FIGURES.values())
            text += f"| {name} | {figures['texts']} | {cells} |\n"
        metrics = systems[-1][1]["metric_accuracy"]
        order = ("AV", "AC", "PR", "UI", "S", "C", "I", "A")
        text += "\nEach metric of the vector that is answered: "
        text += ", ".join(f"{name} {metrics[name]:.3f}" for name in order) + ".\n\n"
    return text[:-1]


def check():
    """Fails where the tables that need no program are not those of the evaluation files."""
    of_evaluation = [first_cwes(), curated(), severity()]
    tables = [("README.md", headline())] + [("docs/evaluation.md", table) for table in of_evaluation]
    for file, table in tables:
        if table not in (ROOT / file).read_text(encoding="utf-8"):
            sys.exit(f"{file}: a table differs from crates/model-*/*.evaluation.json; run tools/render_readme.py")


def main(argument):
    if argument == "--check":
        return check()
    replace("README.md", headline=headline())
    replace("docs/evaluation.md", first=first_cwes(), curated=curated(), severity=severity())
    if argument == "--tables":
        return None
    table = run(argument, "classify", TEXT, "--taxonomy", "cwe,curated,attack", "--top-k", "2", "--format", "table")
    command = f'$ vulnlens classify --taxonomy cwe,curated,attack --top-k 2 "{TEXT}"'
    replace("README.md", example=f"```text\n{command}\n{table}```\n")
    record = run(argument, "classify", TEXT, "--format", "jsonl", "--top-k", "1")
    replace("docs/probabilities.md", record=f"```json\n{record}```\n")
    replace("docs/checkpoints.md", checkpoint=checkpoint(argument))
    tables = {
        model: run(argument, "model", "tables", str(evaluation_file(model)), "--headline").strip() + "\n"
        for model in MODELS
    }
    replace("docs/evaluation.md", evaluation=tables["fast"], accurate=tables["accurate"])
    replace("benches/README.md", accurate=tables["accurate"])
    for model in MODELS:
        card = run(argument, "model", "card", model, "--evaluation", str(evaluation_file(model)))
        if model == "fast":
            card += f"\n## Techniques that analysts assign\n\n{curated()}\n{BESIDE}\n## Severity\n\n{severity()}"
        (ROOT / f"crates/model-{model}/{model}.md").write_text(card, encoding="utf-8")
    return None


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
