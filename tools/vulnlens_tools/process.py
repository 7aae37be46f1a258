"""One meter of processes: wall seconds, CPU seconds and peak memory, as the operating system accounts them. Linux only.

Memory is in MB of 1,000,000 bytes, everywhere.
"""

import json
import os
import subprocess
import sys
import time
from collections import namedtuple
from pathlib import Path

MB = 1_000_000

# Wall seconds, CPU seconds (user and system), and the peak of resident memory in MB. The peak counts at least what the
# measuring process itself has when it starts the other one: keep it small.
Run = namedtuple("Run", "wall cpu peak_mb")


def usage_of(process, started):
    """Waits for the end of a process: its `Run`, and its exit code."""
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / MB), process.returncode


def measure(command, output=subprocess.DEVNULL, accepted=(0,)):
    """Runs a command to its end, with standard output to a file or nowhere; ends the script where it fails."""
    command = [str(word) for word in command]
    started = time.perf_counter()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.DEVNULL)
    run, code = usage_of(process, started)
    if code not in accepted:
        sys.exit(f"failed with {code}: {' '.join(command)}")
    return run


def measure_to_first_line(command):
    """Runs a command until it has written a line of JSON: a `Run` whose wall time ends there, and the line."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    line = process.stdout.readline()
    wall = time.perf_counter() - started
    process.stdin.close()
    run, _ = usage_of(process, started)
    return run._replace(wall=wall), json.loads(line)


def peak_mb(process_id):
    """The peak of resident memory of a process that still runs, in MB."""
    status = Path(f"/proc/{process_id}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024 / MB


class Server:
    """A process that stays, answers one command a line with a line of JSON, and is otherwise idle."""

    def __init__(self, command):
        self.process = subprocess.Popen(
            [str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.first_answer = self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"stopped: {' '.join(self.process.args)}")
        return json.loads(line)

    def ask(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return self.answer()

    def peak_mb(self):
        return peak_mb(self.process.pid)

    def stop(self):
        """Ends the process; returns its peak of memory."""
        peak = self.peak_mb()
        self.process.stdin.close()
        self.process.wait()
        return peak
