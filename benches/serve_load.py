"""Load on `vulnlens serve` over loopback, by wrk (Debian's package `wrk`), the load generator on the same machine.

    cargo build --release
    PYTHONPATH=tools python3 benches/serve_load.py --vulnlens target/release/vulnlens --records records.jsonl

RECORDS has one object a line with a `description`, such as the corpus of the model card unpacked; the first 2,000 texts
are sent in turn. The table goes to standard output: requests per second and latency for each model and number of
connections, and the seconds that a file of records takes over HTTP and by the command line.
"""

import argparse
import json
import pathlib
import re
import subprocess
import tempfile
import time

from vulnlens_tools.serving import Serving

TEXTS = 2_000
RUNS = (("fast", 1), ("fast", 64), ("fast", 1000), ("accurate", 1), ("accurate", 16))
SCRIPT = """wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
local bodies = {}
for line in io.lines("%s") do bodies[#bodies + 1] = line end
local n = 0
request = function()
  n = n %% #bodies + 1
  return wrk.format(nil, nil, nil, bodies[n])
end
done = function(summary) io.write("errors ", summary.errors.status + summary.errors.read + summary.errors.timeout, "\\n") end
"""


def load(address, connections, seconds, script):
    """Requests per second, the 99th centile of latency, and errors."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", script, f"{address}v1/classify"]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    latency = re.search(r"99%\s+(\S+)", output)[1]
    return float(re.search(r"Requests/sec:\s+(\S+)", output)[1]), latency, int(re.search(r"errors (\d+)", output)[1])


def seconds_of(command):
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vulnlens", required=True)
    parser.add_argument("--records", type=pathlib.Path, required=True)
    parser.add_argument("--seconds", type=int, default=10)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bodies, script = pathlib.Path(folder, "bodies.jsonl"), pathlib.Path(folder, "load.lua")
        with arguments.records.open(encoding="utf-8") as lines, bodies.open("w", encoding="utf-8") as out:
            for _, line in zip(range(TEXTS), lines, strict=False):
                out.write(json.dumps({"text": json.loads(line)["description"]}) + "\n")
        script.write_text(SCRIPT % bodies, encoding="utf-8")
        print("| model | connections | requests/s | p99 | errors | resident MB |\n|---|--:|--:|--:|--:|--:|")
        for model, connections in RUNS:
            with Serving(arguments.vulnlens, model) as server:
                rate, latency, errors = load(server.address, connections, arguments.seconds, script)
                print(f"| `{model}` | {connections} | {rate:,.0f} | {latency} | {errors} | {server.resident_mb():.0f} |", flush=True)
        records = str(arguments.records)
        alone = seconds_of([arguments.vulnlens, "classify", records])
        with Serving(arguments.vulnlens, "fast") as server:
            kind = "Content-Type: application/x-ndjson"
            command = ["curl", "-s", f"{server.address}v1/classify", "-H", kind, "--data-binary", f"@{records}"]
            over_http = seconds_of(command)
        print(f"\n{records}: {over_http:.2f} s over HTTP, {alone:.2f} s by the command line, start included.")


if __name__ == "__main__":
    main()
