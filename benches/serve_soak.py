"""A long load on `vulnlens serve`, with malformed requests among the good ones, and an end by TERM in its middle.

    cargo build --release
    PYTHONPATH=tools python3 benches/serve_soak.py --vulnlens target/release/vulnlens --records records.jsonl [--minutes 10]

RECORDS has one object a line with a `description`. Two processes with sixteen keep-alive connections each send texts in turn, first as
fast as they can, then at 80 % of that rate for the given minutes; each twentieth request is malformed. Every answer is compared
with what the command line gives for the same text, every refusal with the status that it must have. Resident memory is read
each second; its growth is the highest of the last tenth of the time over the highest of the first tenth after a minute. At
the end, under full load, the server is told to stop: each request that its log counts must have been answered.
"""

import argparse
import asyncio
import json
import multiprocessing
import pathlib
import subprocess
import tempfile
import time

from vulnlens_tools.serving import Serving
from vulnlens_tools.wrk import first_texts

TEXTS = 500
PROCESSES, CONNECTIONS = 2, 16
SHARE, MALFORMED = 0.8, 20
WARM_UP_S = 60
# Bodies that are no requests, and the status of each.
BAD = [
    (b"{", 400),
    (b'{"text":1}', 422),
    (b'{"texts":["a"]}', 422),
    (b'{"text":""}', 400),
    (b'{"text":"a","options":{"model":"none"}}', 404),
    (b"\xff\xfe\x00", 400),
]
OPTIONS = ["--taxonomy", "cwe", "--top-k", "3"]


def request(body):
    head = "POST /v1/classify HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    return (head % len(body)).encode() + body


async def answer(reader):
    """The status and the body of the next answer."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
    return int(head.split(b" ", 2)[1]), await reader.readexactly(length)


class Counts:
    def __init__(self):
        self.answered = self.wrong = self.lost = 0
        self.first = ""

    def add_wrong(self, what):
        self.wrong += 1
        self.first = self.first or what


async def connection(address, requests, expected, start, until, gap, counts):
    """Sends requests one after the other until the time is over, or the server closes."""
    host, port = address
    reader, writer = await asyncio.open_connection(host, port)
    number, due = start, time.monotonic()
    try:
        while time.monotonic() < until:
            if gap:
                due += gap
                await asyncio.sleep(max(0.0, due - time.monotonic()))
            is_bad = number % MALFORMED == 0
            place = number // MALFORMED % len(BAD) if is_bad else number % len(requests)
            writer.write(request(BAD[place][0]) if is_bad else requests[place])
            status, body = await answer(reader)
            counts.answered += 1
            if is_bad and status != BAD[place][1]:
                counts.add_wrong(f"{BAD[place][0]!r}: {status}")
            if not is_bad and (status != 200 or compared(json.loads(body)) != expected[place]):
                counts.add_wrong(f"text {place}: {status} {body[:200]!r}")
            number += 1
    except asyncio.IncompleteReadError as error:
        # Closed between two answers is no loss; closed within one is.
        counts.lost += bool(error.partial)
    except (ConnectionError, OSError):
        pass
    writer.close()


def compared(record):
    return [(label["label"], label["score"], label["predicted"]) for label in record["cwe"]], record.get("outcome")


def generator(address, requests, expected, offset, seconds, rate, results):
    """One process of connections; `rate` of all together, or as fast as they can."""

    async def run():
        counts, until = Counts(), time.monotonic() + seconds
        gap = CONNECTIONS / rate if rate else 0
        each = [connection(address, requests, expected, offset + 37 * place, until, gap, counts) for place in range(CONNECTIONS)]
        await asyncio.gather(*each)
        results.put((counts.answered, counts.wrong, counts.lost, counts.first))

    asyncio.run(run())


class Load:
    def __init__(self, address, requests, expected):
        host, _, port = address.removeprefix("http://").rstrip("/").partition(":")
        self.given = (host, int(port)), requests, expected

    def begin(self, seconds, rate=0):
        self.results = multiprocessing.Queue()
        each = [
            multiprocessing.Process(target=generator, args=(*self.given, 1000 * place, seconds, rate / PROCESSES, self.results))
            for place in range(PROCESSES)
        ]
        for process in each:
            process.start()
        self.processes = each

    def end(self):
        found = [self.results.get() for _ in self.processes]
        for process in self.processes:
            process.join()
        answered, wrong, lost = (sum(of[place] for of in found) for place in range(3))
        return answered, wrong, lost, next((first for *_, first in found if first), "")


def logged(file):
    """Requests that the log counts."""
    lines = file.read_text(encoding="utf-8").splitlines()
    return sum('"route":"/v1/classify"' in line for line in lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vulnlens", required=True)
    parser.add_argument("--records", type=pathlib.Path, required=True)
    parser.add_argument("--minutes", type=float, default=10)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        texts = first_texts(arguments.records, TEXTS)
        records = pathlib.Path(folder, "records.jsonl")
        records.write_text("".join(json.dumps({"description": text}) + "\n" for text in texts), encoding="utf-8")
        output = subprocess.run([arguments.vulnlens, "classify", *OPTIONS, str(records)], check=True, capture_output=True, text=True).stdout
        expected = [compared(json.loads(line)) for line in output.splitlines()]
        options = {"taxonomy": ["cwe"], "top_k": 3}
        requests = [request(json.dumps({"text": text, "options": options}).encode()) for text in texts]
        log = pathlib.Path(folder, "log")
        with log.open("w") as stderr, Serving(arguments.vulnlens, "fast", stderr=stderr) as server:
            load = Load(server.address, requests, expected)
            load.begin(10)
            most = load.end()[0] / 10
            load.begin(arguments.minutes * 60, SHARE * most)
            memory = []
            while any(process.is_alive() for process in load.processes) and len(memory) < arguments.minutes * 60 - 1:
                time.sleep(1)
                memory.append(server.resident_mb())
            answered, wrong, lost, first = load.end()
            part = max(1, len(memory) // 10)
            warm = min(WARM_UP_S, len(memory) // 2)
            growth = max(memory[-part:]) - max(memory[warm : warm + part])
        with log.open("w") as stderr, Serving(arguments.vulnlens, "fast", arguments=["--log", "json"], stderr=stderr) as server:
            load = Load(server.address, requests, expected)
            load.begin(60)
            time.sleep(3)
            begun = time.perf_counter()
            server.process.terminate()
            server.process.wait(timeout=30)
            stopped = time.perf_counter() - begun
            in_the_end, wrong_in_the_end, lost_in_the_end, _ = load.end()
            accepted = logged(log)
    print("| what | figure |\n|---|--:|")
    print(f"| most requests/s of this load | {most:,.0f} |")
    print(f"| minutes at 80 % of it, each {MALFORMED}th request malformed | {arguments.minutes:g} |")
    print(f"| requests answered | {answered:,} |\n| wrong answers | {wrong} |\n| broken off | {lost} |")
    print(f"| resident memory, MB: highest, growth after a minute | {max(memory):.1f}, {growth:+.1f} |")
    print(f"| TERM under full load: requests accepted, answered | {accepted:,}, {in_the_end:,} |")
    print(f"| wrong, broken off | {wrong_in_the_end}, {lost_in_the_end} |\n| ms from TERM to the end | {1000 * stopped:.0f} |")
    if wrong or lost or wrong_in_the_end or lost_in_the_end or accepted != in_the_end:
        raise SystemExit(f"an answer was wrong or lost: {first or 'see the table'}")


if __name__ == "__main__":
    main()
