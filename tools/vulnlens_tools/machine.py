"""The machine that figures come from, in words."""

import os
from importlib.metadata import version
from pathlib import Path

INSTRUCTIONS = ("avx2", "fma", "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "amx_int8")


def machine():
    """The processor, its instructions for numbers, and the load before."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    fields = dict(reversed([[part.strip() for part in line.split(":", 1)] for line in lines if ":" in line]))
    flags = set(fields.get("flags", "").split())
    known = [flag for flag in INSTRUCTIONS if flag in flags]
    family = f"family {fields.get('cpu family')} model {fields.get('model')}"
    return (
        f"{fields.get('model name', 'unknown')} ({family}), {os.cpu_count()} cores, {' '.join(known)}; "
        f"load before {os.getloadavg()[0]:.2f}"
    )


def versions(*packages):
    """Installed packages with their versions."""
    return ", ".join(f"{package} {version(package)}" for package in packages)
