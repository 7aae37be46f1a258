"""The wheel beside the command line, and beside transformers: what Python costs.

    cargo build --release && cargo build --release -p vulnlens-bench
    PYTHONPATH=tools python benches/python_rates.py --vulnlens target/release --records records.jsonl --work FOLDER \\
        [--peer PYTHON --checkpoint FOLDER]

`python` is one that has the wheel, numpy and pyarrow. Measured, in turn, medians of the rounds:
- a table of Arrow in memory through `classify_table`, all answers read, beside `vulnlens classify --input records.jsonl --out
  answers.jsonl` as a whole process, start included, both on all cores;
- `model(text)` for one text after another, beside the engine's own time for the same texts, from text to the bytes of the
  record (`one_by_one`), and with the first label looked at;
- from `import vulnlens` to the first answer, in a fresh process whose interpreter has started;
- with --peer (a Python with transformers, PyTorch and the wheel): 512 texts through `Classifier(folder).pipeline`, through
  transformers' pipeline as its documentation has it (one text at a time), and through PyTorch in batches of 32 by length.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

from vulnlens_tools.machine import machine
from vulnlens_tools.process import measure

ONE_BY_ONE = 3_000
TEXTS = 512
FIRST = """
import time
start = time.perf_counter()
import vulnlens
answer = vulnlens.Classifier()("SQL injection in login.php via the id parameter.")
label = answer.cwe[0].label
print(time.perf_counter() - start)
"""


def records(file):
    with open(file, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def seconds(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def in_process(part, *arguments, python=sys.executable):
    """The figures of a part of this script that runs in a process of its own."""
    command = [python, __file__, "--part", part, *map(str, arguments)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1])


def part_table(file):
    import pyarrow

    import vulnlens

    given = records(file)
    table = pyarrow.table({key: [record[key] for record in given] for key in ("id", "published", "description")})
    model = vulnlens.Classifier()
    model("SQL injection")

    def work():
        answers = model.classify_table(table, published="published")
        for _ in pyarrow.RecordBatchReader.from_stream(answers):
            pass

    return seconds(work)


def part_calls(file):
    import vulnlens

    texts = json.loads(pathlib.Path(file).read_text())
    model = vulnlens.Classifier(threads=1)

    def call():
        for text in texts:
            model(text)

    def labels():
        return [answer.cwe[0].label if answer.cwe else None for answer in map(model, texts)]

    call()
    labels()
    per_text = 1e6 / len(texts)
    return [statistics.median(seconds(work) * per_text for _ in range(5)) for work in (call, labels)]


def part_checkpoint(engine, folder, file):
    texts = json.loads(pathlib.Path(file).read_text())
    if engine == "vulnlens":
        import vulnlens

        model = vulnlens.Classifier(folder, taxonomy_of_labels="attack")
        model.pipeline(texts[:8], top_k=None)
        return seconds(lambda: model.pipeline(texts, top_k=None))
    import torch
    import transformers

    transformers.logging.set_verbosity_error()
    torch.set_num_threads(os.cpu_count())
    if engine == "pipeline":
        classify = transformers.pipeline("text-classification", model=folder, top_k=None, device="cpu")
        classify(texts[:8], truncation=True, max_length=512)
        return seconds(lambda: classify(texts, truncation=True, max_length=512))
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder).eval()

    def by_length():
        ids = sorted(tokenizer(texts, truncation=True, max_length=512)["input_ids"], key=len)
        with torch.inference_mode():
            for start in range(0, len(ids), 32):
                batch = tokenizer.pad({"input_ids": ids[start : start + 32]}, return_tensors="pt")
                torch.sigmoid(model(**batch).logits)

    with torch.inference_mode():
        model(**tokenizer(texts[:8], truncation=True, max_length=512, padding=True, return_tensors="pt"))
    return seconds(by_length)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vulnlens", type=pathlib.Path, help="the folder of the release binaries")
    parser.add_argument("--records", type=pathlib.Path, help="JSON Lines with id, published and description")
    parser.add_argument("--work", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peer", help="a Python with transformers, PyTorch and the wheel")
    parser.add_argument("--checkpoint", type=pathlib.Path, help="a folder of RoBERTa-base's shape")
    parser.add_argument("--part", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        name, *arguments = options.part
        print(json.dumps(globals()[f"part_{name}"](*arguments)))
        return
    print(machine())
    given = records(options.records)
    count = len(given)
    tables, commands = [], []
    for _ in range(options.rounds):
        tables.append(in_process("table", options.records))
        out = options.work / "answers.jsonl"
        command = [options.vulnlens / "vulnlens", "classify", "--input", options.records, "--out", out]
        commands.append(measure(command).wall)
        out.unlink()
    table, command = statistics.median(tables), statistics.median(commands)
    print(f"classify_table, {count} records: {table:.2f} s, {count / table:.0f}/s")
    print(f"command line, the same records: {command:.2f} s, {count / command:.0f}/s; share {command / table:.2f}")
    texts = options.work / "texts.json"
    texts.write_text(json.dumps([record["description"] for record in given[:: max(1, count // ONE_BY_ONE)][:ONE_BY_ONE]]))
    own, called, looked = [], [], []
    for _ in range(options.rounds):
        engine = subprocess.run([options.vulnlens / "one_by_one", texts], capture_output=True, text=True, check=True)
        own.append(float(engine.stdout))
        call, look = in_process("calls", texts)
        called.append(call)
        looked.append(look)
    own, called, looked = map(statistics.median, (own, called, looked))
    print(f"one by one: engine {own:.1f} us a text, model(text) {called:.1f} us (+{called - own:.1f}), ", end="")
    print(f"and its first label {looked:.1f} us (+{looked - own:.1f})")
    runs = [subprocess.run([sys.executable, "-c", FIRST], capture_output=True, text=True, check=True) for _ in range(15)]
    times = sorted(float(run.stdout) * 1e3 for run in runs)
    print(f"import to first answer: median {statistics.median(times):.1f} ms, {times[0]:.1f} to {times[-1]:.1f}")
    if options.peer:
        texts.write_text(json.dumps([record["description"] for record in given[:: max(1, count // TEXTS)][:TEXTS]]))
        engines = ("vulnlens", "pipeline", "sorted")
        figures = {engine: [] for engine in engines}
        for _ in range(options.rounds):
            for engine in engines:
                figures[engine].append(in_process("checkpoint", engine, options.checkpoint, texts, python=options.peer))
        medians = {engine: statistics.median(figures[engine]) for engine in engines}
        for engine in engines:
            times_ours = medians[engine] / medians["vulnlens"]
            print(f"checkpoint, {TEXTS} texts, {engine}: {medians[engine]:.2f} s, {times_ours:.2f} times vulnlens")


if __name__ == "__main__":
    main()
