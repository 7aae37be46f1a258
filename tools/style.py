#!/usr/bin/env python3
"""Checks the language of module heads, public items and messages against docs/STYLE.md.

    python3 tools/style.py [CRATE ...]

Prints each place that begins with a relative clause ("What …", "Whether …", "How …", "Which …", "Of …") or says "is no X",
and ends with exit code 1 if there is one.
"""

import re
import sys
from pathlib import Path

OPENING = re.compile(r"(What|Whether|How|Which|Of|Who|Where|When)\b")
IS_NO = re.compile(r"(?<!there )\b(is|are|was|were) no (?!longer|more|other|less|fewer|such)\w", re.I)
TEXT = re.compile(r'"((?:\\.|[^"\\])*)"', re.S)
DOC = re.compile(r"\s*///\s?(.*)")
HEAD = re.compile(r"\s*//!\s?(.*)")
PUBLIC = re.compile(r"\s*pub (?:const |async |unsafe )*(?:fn|struct|enum|trait|type|const|static|mod|use|\w+:)")
ITEM = re.compile(r"\s*(?:#\[|\)\]|//|$)")


def without_tests(lines):
    """The lines in front of the tests of a file."""
    for number, line in enumerate(lines):
        if line.strip() == "#[cfg(test)]":
            return lines[:number]
    return lines


def documented(lines):
    """The first line of each doc comment: its number, its text, and the line that it documents."""
    for number, line in enumerate(lines):
        found = DOC.fullmatch(line)
        if found and not (number and DOC.fullmatch(lines[number - 1])):
            item = next((other for other in lines[number + 1 :] if not ITEM.match(other)), "")
            yield number, found[1], item


def messages(text):
    """The string literals of a file that are sentences: their line numbers and texts."""
    for found in TEXT.finditer(text):
        if " " in found[1]:
            yield text.count("\n", 0, found.start()), re.sub(r"\\\n\s*", "", found[1])


def problems(path, is_cli):
    lines = without_tests(path.read_text(encoding="utf-8").split("\n"))
    heads = [(number, found[1]) for number, line in enumerate(lines) if (found := HEAD.fullmatch(line))]
    if not heads:
        yield 0, "has no module head (//!)"
    elif OPENING.match(heads[0][1]):
        yield heads[0][0], f"module head: {heads[0][1]}"
    for number, text in heads:
        if IS_NO.search(text):
            yield number, f"module head: {text}"
    for number, text, item in documented(lines):
        # In the command, a doc comment of an argument is its help text.
        if (PUBLIC.match(item) or is_cli) and (OPENING.match(text) or IS_NO.search(text)):
            yield number, f"documentation: {text}"
    code = "\n".join("" if line.lstrip().startswith("//") else line for line in lines)
    for number, text in messages(code):
        if OPENING.match(text) or IS_NO.search(text):
            yield number, f"message: {text}"


def main(crates):
    root = Path(__file__).resolve().parent.parent
    found = 0
    for path in sorted((root / "crates").glob("**/src/**/*.rs")):
        if path.name == "tests.rs":
            continue
        crate = path.relative_to(root / "crates").as_posix().split("/src/")[0]
        if crates and crate not in crates:
            continue
        for number, problem in problems(path, crate == "cli"):
            print(f"{path.relative_to(root)}:{number + 1}: {problem}")
            found += 1
    if found:
        sys.exit(f"{found} places do not follow docs/STYLE.md")
    print("module heads, public items and messages follow docs/STYLE.md, as far as a script can tell")


if __name__ == "__main__":
    main(sys.argv[1:])
