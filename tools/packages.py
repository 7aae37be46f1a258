#!/usr/bin/env python3
"""Checks that each crate can be packaged: nothing outside its folder is included, and it is below 10 MB when packed.

    python3 tools/packages.py

Lists the files of each crate as `cargo package` would take them. A path in `include_bytes!` or `include_str!` that leaves
the crate is an error, since a packaged crate lacks that file; so is a crate above the registry's limit, which is on the packed one.
"""

import json
import os
import re
import subprocess
import sys
import zlib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MOST_BYTES = 10_000_000
INCLUDED = re.compile(r'include(?:_bytes|_str)?!\(\s*"([^"]+)"')


def cargo(*arguments):
    return subprocess.run(["cargo", *arguments], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


def problems(package):
    """What keeps a crate from being packaged, and the size of its files."""
    folder = Path(package["manifest_path"]).parent
    listed = cargo("package", "--list", "--allow-dirty", "-p", package["name"]).split("\n")
    # Some files, such as the manifest as it was written, are made while packaging.
    files = [folder / name for name in listed if (folder / name).is_file()]
    size = sum(len(zlib.compress(file.read_bytes(), 6)) for file in files)
    found = []
    for file in files:
        if file.suffix == ".rs" and file.is_relative_to(folder / "src"):
            # Unit tests are built in the repository alone.
            code = file.read_text(encoding="utf-8").split("#[cfg(test)]")[0]
            for path in INCLUDED.findall(code):
                # A link into the documentation stays where it is: the package holds the file that it leads to.
                if Path(os.path.normpath(file.parent / path)) not in files:
                    found.append(f"{file.relative_to(ROOT)}: includes {path}, which the package lacks")
    if size > MOST_BYTES:
        found.append(f"{package['name']}: {size:,} bytes packed, above the {MOST_BYTES:,} of a package")
    return found, size


def main():
    found = []
    packages = json.loads(cargo("metadata", "--no-deps", "--format-version", "1"))["packages"]
    # `publish = false` is an empty list of registries.
    for package in (package for package in packages if package["publish"] != []):
        here, size = problems(package)
        found += here
        print(f"{package['name']}: {size:,} bytes packed")
    if found:
        sys.exit("\n".join(found))


if __name__ == "__main__":
    main()
