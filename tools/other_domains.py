#!/usr/bin/env python3
"""Measures the techniques of ATT&CK for ICS and Mobile, which are found by similarity alone, on the pairs that exist.

    python3 tools/other_domains.py target/release/vulnlens ../shared/data

Pairs are those of CTID's `attack_to_cve.csv` and of `curated/pairs.jsonl` whose technique is of these matrices and in
force; texts are those of the corpus. Prints Markdown, and writes it between the marks of docs/taxonomies.md with `--write`.
"""

import csv
import gzip
import json
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

DOC = Path(__file__).parent.parent / "docs/taxonomies.md"
TECHNIQUE = re.compile(r"T\d{4}(?:\.\d{3})?")
DOMAINS = ["ics", "mobile"]


def techniques(data):
    """The techniques in force, by matrix."""
    found = {}
    for domain in DOMAINS:
        with gzip.open(data / f"attack/{domain}-attack.json.gz") as file:
            objects = json.load(file)["objects"]
        for item in objects:
            if item["type"] != "attack-pattern" or item.get("revoked") or item.get("x_mitre_deprecated"):
                continue
            ids = [reference.get("external_id", "") for reference in item["external_references"]]
            found.update({name: domain for name in ids if TECHNIQUE.fullmatch(name)})
    return found


def pairs(data, domain_of):
    """The techniques of each CVE, by matrix."""
    found = defaultdict(lambda: defaultdict(set))
    with (data / "ctid/attack_to_cve.csv").open(encoding="utf-8-sig", newline="") as file:
        for row in csv.reader(file):
            for technique in TECHNIQUE.findall(" ".join(row[1:])):
                if technique in domain_of:
                    found[domain_of[technique]][row[0]].add(technique)
    with (data / "curated/pairs.jsonl").open(encoding="utf-8") as file:
        for pair in map(json.loads, file):
            if pair["technique"] in domain_of:
                found[domain_of[pair["technique"]]][pair["cve"]].add(pair["technique"])
    return found


def texts(data, wanted):
    with gzip.open(data / "corpus-2026-11.jsonl.gz", "rt", encoding="utf-8") as file:
        records = (json.loads(line) for line in file)
        return {record["id"]: record["description"] for record in records if record["id"] in wanted}


def answers(binary, records):
    lines = "".join(json.dumps({"id": name, "description": text}) + "\n" for name, text in records.items())
    command = [binary, "classify", "--domain", "ics,mobile", "--top-k", "all", "--format", "jsonl"]
    done = subprocess.run(command, input=lines, capture_output=True, text=True, check=True)
    return {answer["id"]: answer["other_domains"] for answer in map(json.loads, done.stdout.splitlines())}


def main():
    binary, data = sys.argv[1], Path(sys.argv[2])
    domain_of = techniques(data)
    by_domain = pairs(data, domain_of)
    wanted = {cve for cves in by_domain.values() for cve in cves}
    records = texts(data, wanted)
    answered = answers(binary, records)
    rows = ["| matrix | techniques | CVEs | pairs | R@5 | R@10 | MRR | by chance, R@5 |", "|---|--:|--:|--:|--:|--:|--:|--:|"]
    for domain in DOMAINS:
        cves = {cve: wanted for cve, wanted in by_domain[domain].items() if cve in answered}
        size = sum(1 for of in domain_of.values() if of == domain)
        at_5, at_10, reciprocal, count = 0.0, 0.0, 0.0, 0
        for cve, right in cves.items():
            listed = [label["label"] for label in answered[cve] if label["domain"] == domain]
            at_5 += len(right & set(listed[:5])) / len(right)
            at_10 += len(right & set(listed[:10])) / len(right)
            ranks = [listed.index(label) + 1 for label in right if label in listed]
            reciprocal += 1 / min(ranks) if ranks else 0
            count += len(right)
        texts_of = max(len(cves), 1)
        figures = [at_5 / texts_of, at_10 / texts_of, reciprocal / texts_of, 5 / size]
        shown = " | ".join(f"{figure:.3f}" for figure in figures)
        rows.append(f"| {domain} | {size} | {len(cves)} | {count} | {shown} |")
    table = "\n".join(rows)
    print(table)
    if "--write" in sys.argv[3:]:
        begin, end = "<!-- domains: begin -->\n", "<!-- domains: end -->"
        before, _, rest = DOC.read_text(encoding="utf-8").partition(begin)
        command = "`python3 tools/other_domains.py target/release/vulnlens ../shared/data --write`"
        DOC.write_text(f"{before}{begin}{table}\n\nBy {command}, once.\n{end}{rest.partition(end)[2]}", encoding="utf-8")


if __name__ == "__main__":
    main()
