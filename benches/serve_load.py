"""Load on `vulnlens serve` over loopback, by wrk (Debian's package `wrk`), the load generator on the same machine.

    cargo build --release
    PYTHONPATH=tools python3 benches/serve_load.py --vulnlens target/release/vulnlens --records records.jsonl

RECORDS has one object a line with a `description`, such as the corpus of the model card unpacked; the first 2,000 texts
are sent in turn. The table goes to standard output: requests per second and latency for each model and number of
connections, and the seconds that a file of records takes over HTTP and by the command line.
"""

import argparse
import pathlib
import subprocess
import tempfile
import time

from vulnlens_tools.serving import Serving
from vulnlens_tools.wrk import Wrk, first_texts

TEXTS = 2_000
RUNS = (("fast", 1), ("fast", 64), ("fast", 1000), ("accurate", 1), ("accurate", 16))


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
        wrk = Wrk(folder, ({"text": text} for text in first_texts(arguments.records, TEXTS)))
        print("| model | connections | requests/s | p99 | errors | resident MB |\n|---|--:|--:|--:|--:|--:|")
        for model, connections in RUNS:
            with Serving(arguments.vulnlens, model) as server:
                found = wrk.load(f"{server.address}v1/classify", connections, arguments.seconds)
                figures = f"{found.rate:,.0f} | {found.latency} | {found.errors} | {server.resident_mb():.0f}"
                print(f"| `{model}` | {connections} | {figures} |", flush=True)
        records = str(arguments.records)
        alone = seconds_of([arguments.vulnlens, "classify", records])
        with Serving(arguments.vulnlens, "fast") as server:
            kind = "Content-Type: application/x-ndjson"
            command = ["curl", "-s", f"{server.address}v1/classify", "-H", kind, "--data-binary", f"@{records}"]
            over_http = seconds_of(command)
        print(f"\n{records}: {over_http:.2f} s over HTTP, {alone:.2f} s by the command line, start included.")


if __name__ == "__main__":
    main()
