"""One checkpoint of RoBERTa-base's shape, or another's, through every engine: PyTorch, ONNX Runtime and vulnlens, on the same
cores.

    (a Python environment: see the head of tools/vulnlens_tools/checkpoints.py)
    cargo build --release -p vulnlens-bench
    PYTHONPATH=tools .../bin/python benches/encoder_vs_engines.py --corpus corpus.jsonl.gz \\
        --vulnlens target/release [--work DIR] [--threads 2] [--quick] [--shape modernbert-base]

The work: one sequence of 64 tokens, and 512 real descriptions (in the order of their texts' hash) in batches of 32, as they
come or by length. All engines get the same token ids, made beforehand; only the rows `from text to scores` include
tokenising, and what the library does around the network. vulnlens gets all sequences in one call, in the order they come.

Every engine is a process of its own that stays, answers one command at a time, and is otherwise idle; a round runs every
engine once, and every second round in reverse. Figures are medians of the rounds (a round's own figure for one sequence is the
median of its runs), ratios those of medians. The engines of ONNX Runtime are a plain export and one fused by
onnxruntime.transformers, in float32 and in four kinds of dynamic int8: the best of each column is marked, and is what the ratios
at the end are taken from. Of other shapes than RoBERTa's there is no fused one, and none at all where PyTorch's exporter fails,
which is said; their folder in DIR is the shape's. A row once measured stays in DIR/rounds.jsonl: a run that was stopped goes on there.

`Loading` is from opening the checkpoint's folder to the first answer, in a process that has imported everything (from_pretrained
and one forward), and that of a whole process from its start. Files are in the page cache. Peak memory is the kernel's. Linux only.
"""

import argparse
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time

from vulnlens_tools import checkpoints
from vulnlens_tools.corpus import descriptions
from vulnlens_tools.machine import machine, versions
from vulnlens_tools.process import Server, measure_to_first_line

TEXTS = 512
BATCH = 32
ONE = 64
TASKS = ("one", "many", "texts")
# The quantised ONNX models: their names, and how onnxruntime is told to make them.
INT8 = {
    "plain": ("plain", {}),
    "plain, per channel": ("plain", {"per_channel": True}),
    "plain, reduced range": ("plain", {"reduce_range": True}),
    "fused": ("fused", {}),
}


def onnx_file(work, kind):
    return work / f"{kind.replace(', ', '-').replace(' ', '-')}.onnx"


def renderings(options):
    """The float32 renderings in ONNX that a shape has: the fusing tool knows RoBERTa's graph alone."""
    return ("plain", "fused") if options.shape == "roberta-base" else ("plain",)


def prepare(options):
    """The checkpoint, its renderings and the texts with their ids; run in a process of its own."""
    from transformers import AutoTokenizer

    work, checkpoint = options.work, checkpoints.shaped(options.work, options.corpus, options.shape)
    try:
        for kind in renderings(options):
            checkpoints.export_onnx(checkpoint, onnx_file(work, kind), fused=kind == "fused")
        for kind, (base, how) in INT8.items():
            if base in renderings(options):
                checkpoints.quantized_onnx(onnx_file(work, base), onnx_file(work, f"int8-{kind}"), **how)
    except Exception as error:  # noqa: BLE001 (exporters raise what they like)
        if options.shape == "roberta-base":
            raise
        print(f"no ONNX rendering of {options.shape}: {type(error).__name__}: {str(error).splitlines()[0]}", file=sys.stderr)
    texts = descriptions(options.corpus, options.texts)
    tokenizer = AutoTokenizer.from_pretrained(checkpoint)
    many = tokenizer(texts, truncation=True, max_length=512)["input_ids"]
    one = next(ids for ids in many if len(ids) >= ONE)
    given = {"one": one[: ONE - 1] + one[-1:], "many": many, "texts": texts, "pad": tokenizer.pad_token_id}
    (work / "given.json").write_text(json.dumps(given))


# --- The engines in Python: each a process that runs this file with --engine.


def torch_engine(options, int8):
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer, pipeline

    torch.set_num_threads(options.threads)
    checkpoint = options.work / options.shape
    start = time.perf_counter()
    model = AutoModelForSequenceClassification.from_pretrained(checkpoint).eval()
    tokenizer = AutoTokenizer.from_pretrained(checkpoint)
    if int8:
        model = torch.ao.quantization.quantize_dynamic(model, {torch.nn.Linear}, dtype=torch.qint8)

    def forward(ids, mask):
        with torch.inference_mode():
            return model(input_ids=torch.from_numpy(ids), attention_mask=torch.from_numpy(mask)).logits.numpy()

    classify = pipeline("text-classification", model=model, tokenizer=tokenizer, top_k=None, device="cpu")

    def answer(texts):
        return classify(texts, batch_size=BATCH, truncation=True, max_length=512)

    return start, tokenizer, forward, answer


def ort_engine(options, kind):
    from transformers import AutoTokenizer

    start = time.perf_counter()
    session = checkpoints.ort_session(onnx_file(options.work, kind), options.threads)
    tokenizer = AutoTokenizer.from_pretrained(options.work / options.shape)

    def forward(ids, mask):
        return session.run(None, {"input_ids": ids, "attention_mask": mask})[0]

    return start, tokenizer, forward, None


def engine(options):
    """Serves the commands `one N`, `many N`, `sorted N`, `texts N` as the program bench_server does."""
    import torch  # noqa: F401 (imported before the clock of loading starts)
    import transformers

    transformers.logging.set_verbosity_error()
    family, kind = options.engine.split(":", 1)
    given = json.loads((options.work / "given.json").read_text())
    made = torch_engine(options, kind == "int8") if family == "torch" else ort_engine(options, kind)
    start, tokenizer, forward, answer = made
    loaded = time.perf_counter()
    pad = given.get("pad", 1)
    forward(*checkpoints.padded([tokenizer(given["texts"][0], truncation=True, max_length=512)["input_ids"]], pad))
    print(json.dumps({"load": loaded - start, "first": time.perf_counter() - loaded}), flush=True)
    if options.once:
        return
    by_length = sorted(given["many"], key=len)

    def all_of(rows):
        for at in range(0, len(rows), BATCH):
            forward(*checkpoints.padded(rows[at : at + BATCH], pad))

    work = {
        "one": lambda: forward(*checkpoints.padded([given["one"]], pad)),
        "many": lambda: all_of(given["many"]),
        "sorted": lambda: all_of(by_length),
        "texts": lambda: answer(given["texts"]),
    }
    for line in sys.stdin:
        command, runs = line.split()
        seconds = []
        for _ in range(int(runs)):
            start = time.perf_counter()
            work[command]()
            seconds.append(time.perf_counter() - start)
        print(json.dumps(seconds), flush=True)


# --- The run.


def engines(options):
    """Names, commands and tasks of everything that is measured."""
    own = [sys.executable, __file__, "--work", str(options.work), "--threads", str(options.threads)]
    own += ["--shape", options.shape, "--engine"]
    yield "PyTorch fp32", [*own, "torch:fp32"], ("one", "many", "sorted", "texts")
    if options.torch_int8:
        yield "PyTorch int8", [*own, "torch:int8"], ("one", "many", "sorted")
    for kind in filter(lambda kind: onnx_file(options.work, kind).exists(), renderings(options)):
        yield f"ORT fp32, {kind}", [*own, f"ort:{kind}"], ("one", "many", "sorted")
    for kind in filter(lambda kind: onnx_file(options.work, f"int8-{kind}").exists(), INT8):
        yield f"ORT int8, {kind}", [*own, f"ort:int8-{kind}"], ("one", "many", "sorted")
    if options.vulnlens:
        server = [str(options.vulnlens / "bench_server"), str(options.work / options.shape), str(options.work / "given.json")]
        for precision, name in (("f32", "fp32"), ("int8", "int8")):
            command = [*server, precision, str(options.threads), options.isa]
            yield f"vulnlens {name}", command, ("one", "many", "texts")


def measure(options, kept):
    """Runs the rounds that `kept` lacks and writes each figure there at once."""
    served = {}
    chosen = [entry for entry in engines(options) if any(part in entry[0] for part in options.only.split(","))]
    done = {(figure["engine"], figure["task"], figure["round"]) for figure in read(kept)}
    with kept.open("a") as out:
        for number in range(options.rounds):
            for name, command, tasks in chosen[:: -1 if number % 2 else 1]:
                for task in tasks:
                    if (name, task, number) in done:
                        continue
                    if name not in served:
                        served[name] = Server(command)
                        served[name].ask("one 3")
                    seconds = statistics.median(served[name].ask(f"{task} {options.runs if task == 'one' else 1}"))
                    figure = {"engine": name, "task": task, "round": number, "seconds": seconds}
                    figure |= {"peak_mb": served[name].peak_mb(), "load": os.getloadavg()[0]}
                    out.write(json.dumps(figure) + "\n")
                    out.flush()
                    print(f"round {number + 1}: {name}, {task}: {seconds:.4f} s", file=sys.stderr)
    for server in served.values():
        server.stop()


def read(kept):
    return [json.loads(line) for line in kept.read_text().splitlines()] if kept.exists() else []


def loading(options):
    """The table of loading: medians of interleaved runs."""
    measured = {}
    wanted = [entry for entry in engines(options) if entry[0] in ("PyTorch fp32", "ORT fp32, plain") or "vulnlens" in entry[0]]
    for _ in range(3 if options.quick else 5):
        for name, command, _ in wanted:
            once = [*command, "--once"] if command[0] == sys.executable else command
            measured.setdefault(name, []).append(measure_to_first_line(once))
    print("\n| loading, to the first answer | loaded and answered s | whole process s | peak MB | × vulnlens fp32 | × whole |")
    print("|---|--:|--:|--:|--:|--:|")
    figures = {}
    for name, runs in measured.items():
        inside = statistics.median(said["load"] + said["first"] for _, said in runs)
        figures[name] = (inside, statistics.median(run.wall for run, _ in runs), statistics.median(run.peak_mb for run, _ in runs))
    ours = figures.get("vulnlens fp32")
    for name, (inside, whole, peak) in figures.items():
        ratios = [f"{inside / ours[0]:.1f}", f"{whole / ours[1]:.1f}"] if ours else ["", ""]
        print(f"| {name} | {inside:.3f} | {whole:.3f} | {peak:,.0f} | {ratios[0]} | {ratios[1]} |")


def medians(figures):
    """Median seconds and greatest peak memory of each engine's task."""
    grouped = {}
    for figure in figures:
        grouped.setdefault((figure["engine"], figure["task"]), []).append(figure)
    return {
        key: (statistics.median(f["seconds"] for f in rows), max(f["peak_mb"] for f in rows), [f["seconds"] for f in rows])
        for key, rows in grouped.items()
    }


def best(table, prefix, task):
    """The fastest engine whose name starts so, and its seconds."""
    found = [(seconds[0], name) for (name, asked), seconds in table.items() if asked == task and name.startswith(prefix)]
    return min(found, default=(None, ""))


def print_engines(table, options):
    headings = ["64 tokens ms", f"{options.texts} texts s", "by length s", "from text to scores s"]
    tasks = ("one", "many", "sorted", "texts")
    print("| engine | " + " | ".join(headings) + " | peak MB |\n|---|" + "--:|" * (len(tasks) + 1))
    for name in dict.fromkeys(name for name, _ in table):
        cells = []
        for task in tasks:
            seconds = table.get((name, task))
            family = " ".join(name.split(",")[0].split()[:2])
            mark = "**" if seconds and "," in name and best(table, family, task)[1] == name else ""
            scale, places = (1000, 1) if task == "one" else (1, 2)
            cells.append(f"{mark}{seconds[0] * scale:.{places}f}{mark}" if seconds else "")
        peak = max(seconds[1] for (engine, _), seconds in table.items() if engine == name)
        print(f"| {name} | " + " | ".join(cells) + f" | {peak:,.0f} |")


def print_ratios(table):
    """How many times as long as vulnlens each rival takes."""
    rows = [
        ("fp32", "PyTorch fp32", "PyTorch fp32, as documented", "many"),
        ("fp32", "PyTorch fp32", "PyTorch fp32, by length", "sorted"),
        ("fp32", "ORT fp32", "best ORT fp32", "many"),
        ("fp32", "ORT fp32", "best ORT fp32, by length", "sorted"),
        ("int8", "PyTorch int8", "PyTorch int8, by length", "sorted"),
        ("int8", "ORT int8", "best ORT int8", "many"),
        ("int8", "ORT int8", "best ORT int8, by length", "sorted"),
    ]
    print("\n| vulnlens | against | one of 64 tokens | all texts |\n|---|---|--:|--:|")
    for precision, prefix, name, task in rows:
        ours = f"vulnlens {precision}"
        one, many = best(table, prefix, "one")[0], best(table, prefix, task)[0]
        if many is None or (ours, "many") not in table:
            continue
        first = f"{one / table[ours, 'one'][0]:.2f}" if task == "many" or precision == "int8" else "–"
        print(f"| {precision} | {name} | {first} | {many / table[ours, 'many'][0]:.2f} |")
    for precision in ("fp32", "int8"):
        theirs, ours = table.get(("PyTorch fp32", "texts")), table.get((f"vulnlens {precision}", "texts"))
        if theirs and ours:
            print(f"| {precision} | transformers' pipeline, from text to scores | | {theirs[0] / ours[0]:.2f} |")


def print_peak(options, table):
    """The machine's own peak by the example `peak`, and the share of it that the answers are."""
    program = options.vulnlens and options.vulnlens / "peak"
    if not program or not program.exists():
        return
    said = subprocess.run([program, str(options.threads)], stdout=subprocess.PIPE, text=True, check=True).stdout
    peak = json.loads(said)
    print(f"\nPeak by the example `peak` ({peak['isa']}), Gop/s, one thread and {peak['threads']}: fp32")
    print(f"{peak['f32_gflops_1']:.0f} and {peak['f32_gflops']:.0f}, int8 {peak['int8_gops_1']:.0f} and {peak['int8_gops']:.0f}.\n")
    given = json.loads((options.work / "given.json").read_text())
    config = json.loads((options.work / options.shape / "config.json").read_text())
    print("| the whole network, without padding | Gop | fp32 Gop/s | of the peak | int8 Gop/s | of the peak |")
    print("|---|--:|--:|--:|--:|--:|")
    for task, rows in (("one", [given["one"]]), ("many", given["many"])):
        work = sum(operations(len(row), config) for row in rows) / 1e9
        cells = []
        for precision, most in (("fp32", peak["f32_gflops"]), ("int8", peak["int8_gops"])):
            taken = table.get((f"vulnlens {precision}", task))
            cells += [f"{work / taken[0]:.0f}", f"{work / taken[0] / most:.0%}"] if taken else ["", ""]
        print(f"| {'64 tokens' if task == 'one' else f'{len(rows)} texts'} | {work:,.1f} | " + " | ".join(cells) + " |")


def operations(tokens, config):
    """Multiplications and additions of the matrix products for one sequence, the last layer counted like the others."""
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    layers, is_modern = config["num_hidden_layers"], config["model_type"] == "modernbert"
    linear = 2 * tokens * (4 * hidden * hidden + (3 if is_modern else 2) * hidden * inner)
    every = config["global_attn_every_n_layers"] if is_modern else 1
    near = min(tokens, config["local_attention"] + 1) if is_modern else tokens
    globally = -(-layers // every)
    return layers * linear + 4 * tokens * hidden * (globally * tokens + (layers - globally) * near)


def run(options):
    options.work.mkdir(parents=True, exist_ok=True)
    if not (options.work / "given.json").exists():
        again = [sys.executable, __file__, "--prepare", "--corpus", str(options.corpus), "--work", str(options.work)]
        again += ["--shape", options.shape]
        subprocess.run([*again, "--texts", str(options.texts)], check=True, stdout=sys.stderr)
    given = json.loads((options.work / "given.json").read_text())
    lengths = sorted(map(len, given["many"]))
    if len(lengths) != options.texts:
        sys.exit(f"{options.work} was made for {len(lengths)} texts: give another folder or --texts {len(lengths)}")
    kept = options.work / "rounds.jsonl"
    if options.fresh:
        kept.unlink(missing_ok=True)
    header = f"{machine()}; Python {platform.python_version()}, {versions('torch', 'transformers', 'onnxruntime', 'tokenizers')}"
    measure(options, kept)
    figures = read(kept)
    table = medians(figures)
    print(f"{header}.\n{options.threads} threads; medians of {options.rounds} rounds; load while measuring at most")
    print(f"{max(figure['load'] for figure in figures):.2f}. {len(lengths)} texts have {sum(lengths):,} tokens: median")
    print(f"{lengths[len(lengths) // 2]}, 95 % at most {lengths[len(lengths) * 95 // 100]}, longest {lengths[-1]}.\n")
    print_engines(table, options)
    print("\nBold: the best of the renderings of ONNX Runtime in its column.")
    print_ratios(table)
    loading(options)
    print_peak(options, table)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", type=pathlib.Path, help="corpus.jsonl.gz")
    parser.add_argument("--vulnlens", type=pathlib.Path, help="the folder with the built programs; without it, only the others")
    parser.add_argument("--work", type=pathlib.Path, help="a folder for models and rounds [default: a temporary one]")
    parser.add_argument("--shape", choices=checkpoints.SHAPES, default="roberta-base")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--isa", default="widest", help="the instructions that vulnlens may use, such as avx2")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--runs", type=int, help="of the one sequence in a round")
    parser.add_argument("--texts", type=int)
    parser.add_argument("--only", default="", help="measure engines whose name holds one of these, comma-separated")
    parser.add_argument("--no-torch-int8", dest="torch_int8", action="store_false")
    parser.add_argument("--fresh", action="store_true", help="forget earlier rounds in --work")
    parser.add_argument("--quick", action="store_true", help="64 texts, two rounds")
    parser.add_argument("--prepare", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--engine", help=argparse.SUPPRESS)
    parser.add_argument("--once", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.rounds = options.rounds or (2 if options.quick else 5)
    options.runs = options.runs or (5 if options.quick else 15)
    options.texts = options.texts or (64 if options.quick else TEXTS)
    if options.engine:
        engine(options)
    elif options.corpus is None:
        parser.error("--corpus is needed")
    elif options.prepare:
        prepare(options)
    else:
        with tempfile.TemporaryDirectory() as folder:
            options.work = options.work or pathlib.Path(folder)
            if options.shape != "roberta-base":
                options.work /= options.shape  # renderings and rounds of shapes do not mix
            run(options)


if __name__ == "__main__":
    main()
