"""A `vulnlens serve` of its own for a script, on a free port."""

import os
import subprocess
from contextlib import contextmanager


@contextmanager
def serving(binary, *arguments, key=None, log=None):
    """Starts a server with these arguments; gives its address, `http://127.0.0.1:PORT/`. It ends with the block."""
    environment = {name: value for name, value in os.environ.items() if name != "VULNLENS_API_KEY"}
    if key is not None:
        environment["VULNLENS_API_KEY"] = key
    command = [str(binary), "serve", "--listen", "127.0.0.1:0", *arguments]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        address = process.stdout.readline().strip()
        if not address:
            raise SystemExit(f"{' '.join(command)}: did not start")
        yield address
        if process.poll() is not None:
            raise SystemExit(f"{' '.join(command)}: ended by itself with {process.returncode}")
    finally:
        process.terminate()
        process.wait(timeout=30)
