"""Puts what the program prints into the README and the model card, so that nobody types it.

    python3 tools/render_readme.py target/release/vulnlens

Replaces the marked sections of README.md by the output of the commands below and by the headline tables of
assets/models/fast.evaluation.json (which `vulnlens evaluate --out` wrote), and writes assets/models/fast.md by
`vulnlens model card`. A test in crates/train checks the tables against the evaluation file.
"""

import pathlib
import re
import subprocess
import sys

TEXT = "Buffer overflow in OpenSSL allows remote attackers to execute arbitrary code."
EVALUATION = "assets/models/fast.evaluation.json"


def run(binary, *arguments):
    command = [binary, *arguments, "--color", "never"]
    return subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout


def section(readme, name, content):
    pattern = re.compile(rf"(<!-- {name}: begin -->\n).*?(<!-- {name}: end -->)", re.DOTALL)
    assert pattern.search(readme), name
    return pattern.sub(lambda found: found[1] + content + found[2], readme)


def main():
    binary = sys.argv[1]
    root = pathlib.Path(__file__).parent.parent
    path = root / "README.md"
    readme = path.read_text(encoding="utf-8")
    table = run(binary, "classify", TEXT, "--format", "table", "--top-k", "3")
    readme = section(readme, "example", f"```text\n$ vulnlens classify --top-k 3 \"{TEXT}\"\n{table}```\n")
    record = run(binary, "classify", TEXT, "--format", "jsonl", "--top-k", "1")
    readme = section(readme, "record", f"```json\n{record}```\n")
    tables = run(binary, "model", "tables", str(root / EVALUATION), "--headline")
    readme = section(readme, "evaluation", tables.strip() + "\n")
    path.write_text(readme, encoding="utf-8")
    card = run(binary, "model", "card", "fast", "--evaluation", str(root / EVALUATION))
    (root / "assets/models/fast.md").write_text(card, encoding="utf-8")



if __name__ == "__main__":
    main()
