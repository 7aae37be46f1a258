"""Steps of training an encoder by vulnlens and by PyTorch with transformers, on the same cores and the same batches.

    (a Python environment: see the head of tools/vulnlens_tools/checkpoints.py)
    cargo build --release -p vulnlens-bench
    PYTHONPATH=tools .../bin/python benches/training_vs_pytorch.py --vulnlens target/release/training_steps \\
        [--corpus corpus.jsonl.gz --tokenizer FOLDER] [--threads 2] [--rounds 3] [--only "NAME;…"] [--quick]

A step is the way forward with dropout of 0.1, the loss, the way back, clipping at a norm of 1 and AdamW, in float32: RoBERTa-base
and a small encoder that learn 175 labels, and the small one's masked-language pretraining. Batches have 16 texts of nearly the
same length, as loaders that sort by length make them; lengths are those of real descriptions: of training_lengths.json, or of
a corpus's texts through a tokenizer. Token ids, labels and hidden tokens are drawn from a seed, the same for both sides.

PyTorch pads to the longest of the batch and does not compute denormals. Attention and AdamW have several renderings there: a
few steps of each come first, and the fastest is what is measured. Every side is a process of its own that stays and is otherwise
idle; a round is all batches by one side, then by the other. A network's seconds are the sum over its batches of the median
over the rounds; each process's first steps do not count. Peak memory is the kernel's, of the whole process. Linux only.
"""

import argparse
import json
import os
import pathlib
import platform
import random
import statistics
import sys
import tempfile
import time

from vulnlens_tools import checkpoints
from vulnlens_tools.corpus import descriptions
from vulnlens_tools.machine import machine, versions
from vulnlens_tools.process import Server, peak_mb

LENGTHS = pathlib.Path(__file__).resolve().parent / "training_lengths.json"
TEXTS = 2048
LONGEST = 256
BATCH = 16
LABELS = 175
MASKED = 0.15
MASK = 4
# Their names, widths, layers, heads, vocabularies, and whether they predict hidden tokens.
NETWORKS = {
    "RoBERTa-base": (768, 12, 12, 50_265, False),
    "small": (256, 6, 4, 16_384, False),
    "small, masked language": (256, 6, 4, 16_384, True),
}
RENDERINGS = {
    "sdpa, fused AdamW": ("sdpa", {"fused": True}),
    "eager, fused AdamW": ("eager", {"fused": True}),
    "sdpa, foreach AdamW": ("sdpa", {"foreach": True}),
}
# Steps of a process that do not count, and those that choose the rendering.
WARM = 2
CHOOSING = 3


def lengths(options):
    """Token counts of real descriptions, special tokens included."""
    if not options.corpus:
        return json.loads(LENGTHS.read_text())
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(options.tokenizer)
    texts = descriptions(options.corpus, TEXTS)
    return [len(ids) for ids in tokenizer(texts, truncation=True, max_length=LONGEST)["input_ids"]]


def batch_lengths(options):
    """Batches of texts next to each other in length, evenly spread over all of them, in random order."""
    ordered = sorted(min(length, LONGEST) for length in lengths(options))
    buckets = [ordered[at : at + BATCH] for at in range(0, len(ordered) - BATCH + 1, BATCH)]
    taken = min(options.batches, len(buckets))
    # The middles of so many equal parts, so that the mean is that of all.
    chosen = [buckets[(2 * number + 1) * len(buckets) // (2 * taken)] for number in range(taken)]
    random.Random(checkpoints.SEED).shuffle(chosen)
    return chosen


def work(name, chosen, options):
    """What both sides are given."""
    hidden, layers, heads, vocabulary, masked = NETWORKS[name]
    config = {
        "model_type": "roberta", "hidden_size": hidden, "num_hidden_layers": layers, "num_attention_heads": heads,
        "intermediate_size": 4 * hidden, "vocab_size": vocabulary, "max_position_embeddings": 514, "type_vocab_size": 1,
        "layer_norm_eps": 1e-5, "hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1,
        "id2label": {str(i): f"T{1001 + i}" for i in range(LABELS)}, "problem_type": "multi_label_classification",
    }  # fmt: skip
    draw = random.Random(checkpoints.SEED)
    batches = []
    for sizes in chosen:
        texts = [[0, *(draw.randrange(5, vocabulary) for _ in range(size - 2)), 2] for size in sizes]
        places = [sorted(draw.sample(range(1, size - 1), max(1, round(MASKED * (size - 2))))) for size in sizes]
        places = places if masked else [[] for _ in sizes]
        was = [[text[place] for place in of_text] for text, of_text in zip(texts, places)]
        for text, of_text in zip(texts, places):
            for place in of_text:
                text[place] = MASK
        labels = [sorted(draw.sample(range(LABELS), 4)) for _ in sizes]
        batches.append({"texts": texts, "labels": labels, "hidden": places, "hidden_ids": was})
    return {"config": config, "masked": masked, "labels": LABELS, "rate": 5e-5, "batches": batches}


# --- PyTorch's side: a process that runs this file with --engine.


def tensors(given, masked):
    """A batch as transformers takes it."""
    import torch

    ids, mask = (torch.from_numpy(array) for array in checkpoints.padded(given["texts"], 1))
    if masked:
        labels = torch.full_like(ids, -100)
        for row, (places, was) in enumerate(zip(given["hidden"], given["hidden_ids"])):
            labels[row, places] = torch.tensor(was)
    else:
        labels = torch.zeros(len(ids), LABELS)
        for row, on in enumerate(given["labels"]):
            labels[row, on] = 1.0
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}


def engine(options):
    """Serves the command `steps FIRST COUNT` as the program training_steps does."""
    import torch
    from transformers import RobertaConfig, RobertaForMaskedLM, RobertaForSequenceClassification

    torch.set_num_threads(options.threads)
    torch.set_flush_denormal(True)
    torch.manual_seed(checkpoints.SEED)
    imported = peak_mb(os.getpid())
    attention, how = RENDERINGS[options.engine]
    given = json.loads(options.work.read_text())
    kind = RobertaForMaskedLM if given["masked"] else RobertaForSequenceClassification
    config = RobertaConfig(**given["config"])
    model = kind._from_config(config, attn_implementation=attention).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=given["rate"], weight_decay=0.01, **how)
    count = sum(parameter.numel() for parameter in model.parameters())
    print(json.dumps({"parameters": count, "imported_mb": imported}), flush=True)

    def step(number):
        batch = given["batches"][number % len(given["batches"])]
        start = time.perf_counter()
        loss = model(**tensors(batch, given["masked"])).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return time.perf_counter() - start, loss.item()

    for line in sys.stdin:
        _, first, count = line.split()
        steps = [step(int(first) + number) for number in range(int(count))]
        print(json.dumps({"seconds": [seconds for seconds, _ in steps], "loss": steps[-1][1]}), flush=True)


# --- The run.


class Side(Server):
    """A process that trains, warmed up."""

    def __init__(self, command):
        super().__init__(command)
        self.steps(0, WARM)

    def steps(self, first, count):
        """Seconds of each step; the pause lets the other side's threads fall asleep."""
        time.sleep(0.2)
        said = self.ask(f"steps {first} {count}")
        self.loss = said["loss"]
        return said["seconds"]


def torch_side(rendering, file, options):
    return Side([sys.executable, __file__, "--engine", rendering, "--work", str(file), "--threads", str(options.threads)])


def fastest(file, options):
    """The rendering of PyTorch that takes the least time for a few steps."""
    found = {}
    for rendering in RENDERINGS:
        side = torch_side(rendering, file, options)
        found[rendering] = sum(side.steps(WARM, min(CHOOSING, options.batches)))
        side.stop()
        print(f"  {rendering}: {found[rendering]:.3f} s", file=sys.stderr)
    return min(found, key=found.get), found


def measure(name, file, options):
    """Figures of both sides for one network."""
    print(name, file=sys.stderr)
    rendering, tried = fastest(file, options)
    sides = {"vulnlens": Side([str(options.vulnlens), str(file), str(options.threads)])}
    sides["PyTorch"] = torch_side(rendering, file, options)
    counts = {side.first_answer["parameters"] for side in sides.values()}
    assert len(counts) == 1, f"the networks differ: {counts}"
    rounds, load = {side: [] for side in sides}, []
    for number in range(options.rounds):
        for side in list(sides)[:: -1 if number % 2 else 1]:
            rounds[side].append(sides[side].steps(0, options.batches))
            load.append(os.getloadavg()[0])
            print(f"  round {number + 1}: {side} {sum(rounds[side][-1]):.3f} s, loss {sides[side].loss:.4f}", file=sys.stderr)
    medians = {side: [statistics.median(steps) for steps in zip(*rounds[side])] for side in sides}
    imported = sides["PyTorch"].first_answer["imported_mb"]
    return {
        "network": name, "parameters": counts.pop(), "rendering": rendering, "tried": tried, "load": max(load), "imported": imported,
        "seconds": {side: sum(steps) for side, steps in medians.items()},
        "range": {side: (min(map(sum, steps)), max(map(sum, steps))) for side, steps in rounds.items()},
        "peak": {side: sides[side].stop() for side in sides},
    }  # fmt: skip


def print_table(figures, chosen, options):
    sizes = sorted(size for batch in chosen for size in batch)
    print(f"{options.machine}; Python {platform.python_version()}, {versions('torch', 'transformers')}.")
    print(f"{options.threads} threads; medians of {options.rounds} rounds of {len(chosen)} batches of {BATCH} texts, {sum(sizes):,}")
    print(f"tokens: median {sizes[len(sizes) // 2]}, 95 % at most {sizes[len(sizes) * 95 // 100]}, longest {sizes[-1]}. Load while")
    print(f"measuring at most {max(figure['load'] for figure in figures):.2f}.\n")
    print("| network, millions of parameters | side | s | range | samples/s | tokens/s | × PyTorch | peak MB |")
    print("|---|---|--:|--:|--:|--:|--:|--:|")
    for figure in figures:
        theirs = figure["seconds"]["PyTorch"]
        for side, seconds in figure["seconds"].items():
            what = f"PyTorch, {figure['rendering']}" if side == "PyTorch" else side
            least, most = figure["range"][side]
            print(
                f"| {figure['network']}, {figure['parameters'] / 1e6:.1f} | {what} | {seconds:.2f} | {least:.2f}–{most:.2f} "
                f"| {len(sizes) / seconds:.2f} | {sum(sizes) / seconds:,.0f} | {theirs / seconds:.2f} "
                f"| {figure['peak'][side]:,.0f} |"
            )
    imported = max(figure["imported"] for figure in figures)
    print(f"\nOf PyTorch's memory {imported:,.0f} MB were there before the network. Seconds of a few steps of each of its renderings:\n")
    print("| network | " + " | ".join(RENDERINGS) + " |\n|---|" + "--:|" * len(RENDERINGS))
    for figure in figures:
        print(f"| {figure['network']} | " + " | ".join(f"{figure['tried'][name]:.2f}" for name in RENDERINGS) + " |")


def run(options):
    options.machine = machine()
    chosen = batch_lengths(options)
    figures = []
    wanted = options.only.split(";") if options.only else NETWORKS
    with tempfile.TemporaryDirectory() as folder:
        for name in wanted:
            file = pathlib.Path(folder) / "work.json"
            file.write_text(json.dumps(work(name, chosen, options)))
            figures.append(measure(name, file, options))
    print_table(figures, chosen, options)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--vulnlens", type=pathlib.Path, help="the program training_steps, built")
    parser.add_argument("--corpus", type=pathlib.Path, help="corpus.jsonl.gz, in place of the committed lengths")
    parser.add_argument("--tokenizer", type=pathlib.Path, help="what the corpus is read by")
    parser.add_argument("--print-lengths", action="store_true", help="print the corpus's lengths, and end")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--batches", type=int, help="batches of a round")
    parser.add_argument("--only", default="", help=f"networks, joined by `;`, of {'; '.join(NETWORKS)}")
    parser.add_argument("--quick", action="store_true", help="two batches, two rounds")
    parser.add_argument("--engine", choices=RENDERINGS, help=argparse.SUPPRESS)
    parser.add_argument("--work", type=pathlib.Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.rounds = options.rounds or (2 if options.quick else 3)
    options.batches = options.batches or (2 if options.quick else 12)
    if options.engine:
        engine(options)
    elif (options.corpus is None) != (options.tokenizer is None):
        parser.error("--corpus and --tokenizer go together")
    elif options.print_lengths:
        print(json.dumps(lengths(options)))
    elif options.vulnlens is None:
        parser.error("--vulnlens is needed")
    else:
        run(options)


if __name__ == "__main__":
    main()
