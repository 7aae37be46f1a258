"""A running `vulnlens serve` for scripts that speak to it."""

import os
import pathlib
import re
import subprocess


class Serving:
    """A server of these models on a free port, told by further arguments; it ends with the block."""

    def __init__(self, binary, *models, arguments=(), key=None, stderr=subprocess.DEVNULL):
        command = [binary, "serve", "--listen", "127.0.0.1:0", *arguments]
        if models:
            command += ["--model", *models]
        environment = {name: value for name, value in os.environ.items() if name != "VULNLENS_API_KEY"}
        if key is not None:
            environment["VULNLENS_API_KEY"] = key
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=stderr, text=True)
        self.address = self.process.stdout.readline().strip()
        if not self.address:
            raise SystemExit(f"{' '.join(map(str, command))}: did not start")

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        ended = self.process.poll()
        self.process.terminate()
        self.process.wait(timeout=30)
        if kind is None and ended not in (None, 0):
            raise SystemExit(f"the server ended by itself with {ended}")

    def resident_mb(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) * 1024 / 1e6
