"""Puts what the program prints into the README and the model card, so that nobody types it.

    python3 tools/render_readme.py target/release/vulnlens

Replaces the marked sections of README.md and of benches/README.md by the output of the commands below and by the headline tables of
assets/models/*.evaluation.json (which `vulnlens evaluate --out` wrote), and writes assets/models/*.md by
`vulnlens model card`. A test in crates/train checks the tables against the evaluation file.
"""

import json
import pathlib
import re
import subprocess
import sys

TEXT = "Buffer overflow in OpenSSL allows remote attackers to execute arbitrary code."
EVALUATION = "assets/models/fast.evaluation.json"
ACCURATE = "assets/models/accurate.evaluation.json"
# A tiny checkpoint, what transformers gave for it, and one of its texts.
FIXTURES = "crates/encoder/tests/fixtures"
CHECKPOINT = "roberta"
CHECKPOINT_TEXT = 47


def run(binary, *arguments):
    command = [binary, *arguments, "--color", "never"]
    return subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout


def section(readme, name, content):
    pattern = re.compile(rf"(<!-- {name}: begin -->\n).*?(<!-- {name}: end -->)", re.DOTALL)
    assert pattern.search(readme), name
    return pattern.sub(lambda found: found[1] + content + found[2], readme)


def checkpoint(binary, root):
    """The scores of one text by transformers, as recorded, and by the program."""
    folder = root / FIXTURES / CHECKPOINT
    text = json.loads((root / FIXTURES / "texts.json").read_text(encoding="utf-8"))[CHECKPOINT_TEXT]
    expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    arguments = ["--model", str(folder), "--threshold", "0", "--top-k", "all", "--taxonomy", "cwe", "--format", "jsonl"]
    record = json.loads(run(binary, "classify", text, *arguments))
    ours = {label["label"]: label for label in record["cwe"]}
    lines = [f"`{CHECKPOINT}`: *{text}*", "", "| label | transformers | vulnlens | |", "|---|--:|--:|---|"]
    for label, score in zip(expected["labels"], expected["scores"][CHECKPOINT_TEXT], strict=True):
        found = ours[label if label.startswith("CWE-") else f"CWE-{label}"]
        about = found["name"] or found.get("status", "")
        lines.append(f"| {label} | {score:.6f} | {found['score']:.6f} | {about} |")
    return "\n".join(lines) + "\n"


def main():
    binary = sys.argv[1]
    root = pathlib.Path(__file__).parent.parent
    path = root / "README.md"
    readme = path.read_text(encoding="utf-8")
    table = run(binary, "classify", TEXT, "--format", "table", "--top-k", "3")
    readme = section(readme, "example", f"```text\n$ vulnlens classify --top-k 3 \"{TEXT}\"\n{table}```\n")
    record = run(binary, "classify", TEXT, "--format", "jsonl", "--top-k", "1")
    readme = section(readme, "record", f"```json\n{record}```\n")
    readme = section(readme, "checkpoint", checkpoint(binary, root))
    tables = run(binary, "model", "tables", str(root / EVALUATION), "--headline")
    readme = section(readme, "evaluation", tables.strip() + "\n")
    tables = run(binary, "model", "tables", str(root / ACCURATE), "--headline")
    readme = section(readme, "accurate", tables.strip() + "\n")
    benches = root / "benches/README.md"
    rendered = section(benches.read_text(encoding="utf-8"), "accurate", tables.strip() + "\n")
    benches.write_text(rendered, encoding="utf-8")
    path.write_text(readme, encoding="utf-8")
    for model, evaluation in [("fast", EVALUATION), ("accurate", ACCURATE)]:
        card = run(binary, "model", "card", model, "--evaluation", str(root / evaluation))
        (root / f"assets/models/{model}.md").write_text(card, encoding="utf-8")


if __name__ == "__main__":
    main()
