"""Load on an HTTP service by wrk (Debian's package `wrk`), and the texts that it sends."""

import itertools
import json
import pathlib
import re
import subprocess
from collections import namedtuple

SCRIPT = """wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
local bodies = {}
for line in io.lines("%s") do bodies[#bodies + 1] = line end
local n = 0
request = function()
  n = n %% #bodies + 1
  return wrk.format(nil, nil, nil, bodies[n])
end
done = function(summary)
  io.write("errors ", summary.errors.status + summary.errors.read + summary.errors.timeout, "\\n")
  io.write("refused ", summary.errors.status, "\\n")
end
"""

PRINTED = (r"Requests/sec:\s+(\S+)", r"99%\s+(\S+)", r"errors (\d+)", r"refused (\d+)")

# Requests per second, the 99th centile of latency as wrk prints it, all errors, and those of them that are statuses.
Loaded = namedtuple("Loaded", "rate latency errors refused")


def first_texts(records, most):
    """The descriptions of the first records of a file of JSON Lines; a record without one is passed over."""
    with records.open(encoding="utf-8") as lines:
        told = (json.loads(line).get("description") for line in lines)
        return [text for text in itertools.islice(told, most) if isinstance(text, str) and text.strip()]


class Wrk:
    """Posts these bodies, objects of JSON, in turn; what it needs stands in a folder."""

    def __init__(self, folder, bodies):
        file, self.script = pathlib.Path(folder, "bodies.jsonl"), pathlib.Path(folder, "load.lua")
        file.write_text("".join(json.dumps(body) + "\n" for body in bodies), encoding="utf-8")
        self.script.write_text(SCRIPT % file, encoding="utf-8")

    def load(self, url, connections, seconds, timeout=2):
        """Loads a route over so many connections; an answer that takes longer than the timeout is an error."""
        asked = ["-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", f"{timeout}s", "--latency", "-s", self.script]
        output = subprocess.run(["wrk", *asked, url], check=True, capture_output=True, text=True).stdout
        rate, latency, errors, refused = (re.search(pattern, output)[1] for pattern in PRINTED)
        return Loaded(float(rate), latency, int(errors), int(refused))
