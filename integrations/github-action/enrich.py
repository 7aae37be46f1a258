"""The step of the action: installs a release, enriches files, and writes outputs, a summary and errors for GitHub.

Standard output is the log of the step: lines that begin with ``::`` are commands of GitHub's.
"""

from __future__ import annotations

import glob
import hashlib
import io
import os
import platform
import re
import sys
import tarfile
import tempfile
import urllib.request
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "client"))

from vulnlens_client import VulnlensError  # noqa: E402
from vulnlens_client.command import COUNTS, NOT_FILLED, Enriched, enrich  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent.parent
RELEASES = "https://github.com/vulnlens/vulnlens/releases/download"
#: The targets of releases by system and processor, as Python names them, with the ending of the archive.
TARGETS = {
    ("Linux", "x86_64"): ("x86_64-unknown-linux-musl", "tar.gz"),
    ("Linux", "aarch64"): ("aarch64-unknown-linux-musl", "tar.gz"),
    ("Darwin", "arm64"): ("aarch64-apple-darwin", "tar.gz"),
    ("Darwin", "x86_64"): ("x86_64-apple-darwin", "tar.gz"),
    ("Windows", "AMD64"): ("x86_64-pc-windows-msvc", "zip"),
}
#: Archives have some 60 MB.
ARCHIVE_BYTES = 512 << 20
VERSION = re.compile(r"\d+\.\d+\.\d+(?:-[0-9A-Za-z.]+)?")
FINDINGS = ("unsure", "left", "bad")


@dataclass(frozen=True)
class Inputs:
    """The inputs of the action."""

    files: tuple[str, ...]
    output_folder: str
    min_score: str
    fail_on: tuple[str, ...]
    model: str
    version: str
    sha256: str
    binary: str
    releases: str

    @classmethod
    def read(cls, variables: Mapping[str, str]) -> Inputs:
        """The inputs, from the variables of the action."""

        def text(name: str) -> str:
            return variables.get(f"ENRICH_{name}", "").strip()

        files = tuple(line.strip() for line in text("FILES").splitlines() if line.strip())
        if not files:
            raise VulnlensError("files: there is no path; give one a line")
        fail_on = tuple(name.strip() for name in text("FAIL_ON").split(",") if name.strip())
        if unknown := [name for name in fail_on if name not in FINDINGS]:
            raise VulnlensError(f"fail-on: {unknown[0]!r} is not one of {', '.join(FINDINGS)}")
        return cls(
            files=files,
            output_folder=text("OUTPUT_FOLDER"),
            min_score=text("MIN_SCORE"),
            fail_on=fail_on,
            model=text("MODEL"),
            version=text("VERSION").removeprefix("v"),
            sha256=text("SHA256").lower(),
            binary=text("BINARY"),
            releases=text("RELEASES") or RELEASES,
        )


def own_version() -> str:
    """The version of the repository that the action is a part of."""
    found = re.search(r'^version = "(.+?)"$', (ROOT / "Cargo.toml").read_text(encoding="utf-8"), re.M)
    if found is None:
        raise VulnlensError(f"{ROOT / 'Cargo.toml'}: has no version; give the input version")
    return found[1]


def fetch(url: str) -> bytes:
    """The bytes at an address."""
    try:
        with urllib.request.urlopen(url, timeout=120) as answer:
            read: bytes = answer.read(ARCHIVE_BYTES + 1)
    except (OSError, ValueError) as error:
        raise VulnlensError(f"{url}: cannot be fetched ({error}); correct the input version") from error
    if len(read) > ARCHIVE_BYTES:
        raise VulnlensError(f"{url}: is longer than {ARCHIVE_BYTES} bytes")
    return read


def listed_sum(sums: str, name: str) -> str:
    """The SHA-256 of a file in a list as ``sha256sum`` writes it."""
    for line in sums.splitlines():
        digest, _, file = line.partition(" ")
        if file.lstrip(" *") == name and re.fullmatch("[0-9a-f]{64}", digest):
            return digest
    raise VulnlensError(f"SHA256SUMS: has no line for {name}")


def unpacked(archive: bytes, ending: str, program: str) -> bytes:
    """The program of an archive; nothing else of it is written anywhere."""
    if ending == "zip":
        with zipfile.ZipFile(io.BytesIO(archive)) as packed:
            for name in packed.namelist():
                if PurePath(name).name == program:
                    return packed.read(name)
    else:
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            for member in files:
                read = files.extractfile(member) if PurePath(member.name).name == program and member.isfile() else None
                if read is not None:
                    return read.read()
    raise VulnlensError(f"the archive of the release has no {program}")


def install(inputs: Inputs, folder: Path) -> str:
    """Fetches the release for this machine, checks it, and returns the path of its program."""
    version = inputs.version or own_version()
    if not VERSION.fullmatch(version):
        raise VulnlensError(f"version: {version!r} is not a release such as 0.1.0")
    machine = (platform.system(), platform.machine())
    if machine not in TARGETS:
        raise VulnlensError(f"there is no release for {' '.join(machine)}; build vulnlens, and give the input binary")
    target, ending = TARGETS[machine]
    name = f"vulnlens-{version}-{target}.{ending}"
    base = f"{inputs.releases}/v{version}"
    archive = fetch(f"{base}/{name}")
    digest = hashlib.sha256(archive).hexdigest()
    expected = [listed_sum(fetch(f"{base}/SHA256SUMS").decode("utf-8", "replace"), name)]
    expected += [inputs.sha256] if inputs.sha256 else []
    if any(digest != one for one in expected):
        raise VulnlensError(f"{name}: its SHA-256 is {digest}, and not {' or '.join(expected)}; nothing of it is run")
    program = "vulnlens.exe" if ending == "zip" else "vulnlens"
    path = folder / program
    try:
        path.write_bytes(unpacked(archive, ending, program))
    except (tarfile.TarError, zipfile.BadZipFile, EOFError) as error:
        raise VulnlensError(f"{name}: is damaged ({error})") from error
    path.chmod(0o755)
    say(f"installed vulnlens {version} ({digest})")
    return str(path)


def say(line: str) -> None:
    """Writes a line to the log of the step, in which no text of a document may be a command."""
    sys.stdout.write(line.replace("::", ": :").replace("##[", "# #[") + "\n")


def fail(message: str, file: str = "") -> None:
    """Marks an error, at a file if there is one."""
    escaped = message.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    place = file.replace("%", "%25").replace(":", "%3A").replace(",", "%2C").replace("\n", "%0A")
    sys.stdout.write(f"::error{f' file={place}' if file else ''}::{escaped}\n")


def paths_of(patterns: Sequence[str]) -> list[Path]:
    """The files of paths and globs; a path that leads nowhere is an error."""
    found: dict[Path, None] = {}
    for pattern in patterns:
        paths = sorted(path for path in glob.glob(pattern, recursive=True) if os.path.isfile(path))
        if not paths:
            raise VulnlensError(f"files: {pattern!r} leads to no file")
        found |= dict.fromkeys(map(Path, paths))
    return list(found)


def out_of(path: Path, folder: str) -> Path:
    """Where the document of a path goes: there, or under its path in a folder."""
    if not folder:
        return path
    inside = Path(os.path.relpath(path))
    if inside.is_absolute() or ".." in inside.parts:
        inside = Path(path.name)
    out = Path(folder) / inside
    out.parent.mkdir(parents=True, exist_ok=True)
    return out


def summary_of(done: Sequence[Enriched]) -> str:
    """The counts of each document as a table."""
    heads = [words for key, words in COUNTS.items() if any(one.counts.get(key) for one in done)] or ["filled"]
    keys = [key for key, words in COUNTS.items() if words in heads]
    lines = [
        "### Weaknesses that findings lacked",
        "",
        f"| document | {' | '.join(heads)} |",
        f"|---|{'---:|' * len(heads)}",
    ]
    for one in done:
        name = str(one.path).replace("|", "\\|").replace("`", "'")
        counts = (str(one.counts.get(key, 0)) for key in keys)
        lines.append(f"| `{name}` | {' | '.join(counts)} |" if one.is_written else f"| `{name}` | failed |")
    return "\n".join(lines) + "\n"


def append(path: str | None, text: str) -> None:
    """Appends to a file that GitHub reads after the step."""
    if path:
        with open(path, "a", encoding="utf-8") as file:
            file.write(text)


def run(inputs: Inputs, variables: Mapping[str, str]) -> int:
    """Enriches the files; the exit code of the step."""
    paths = paths_of(inputs.files)
    with tempfile.TemporaryDirectory() as folder:
        binary = inputs.binary or install(inputs, Path(folder))
        done = [
            enrich(
                path, out_of(path, inputs.output_folder), binary=binary, min_score=inputs.min_score,
                fail_on=inputs.fail_on, model=inputs.model,
            )
            for path in paths
        ]  # fmt: skip
    failed = 0
    for one in done:
        for line in one.told:
            say(line)
        if not one.is_written or one.code == NOT_FILLED:
            fail("\n".join(one.told[-3:]) or f"vulnlens ended with {one.code}", str(one.path))
            failed += 1
    counts = {key: sum(one.counts.get(key, 0) for one in done) for key in COUNTS}
    outputs = {"files": len(done), "total": sum(counts.values()), **counts}
    append(variables.get("GITHUB_OUTPUT"), "".join(f"{key}={count}\n" for key, count in outputs.items()))
    append(variables.get("GITHUB_STEP_SUMMARY"), summary_of(done))
    return 1 if failed else 0


def main() -> int:
    """Runs the step."""
    try:
        return run(Inputs.read(os.environ), os.environ)
    except VulnlensError as error:
        fail(str(error))
        return 1


if __name__ == "__main__":
    sys.exit(main())
