"""Full size: the encoder's logits and token ids against transformers' on real descriptions.

    (a Python environment: see the head of tools/vulnlens_tools/checkpoints.py)
    cargo build --release -p vulnlens-bench
    .../bin/python tools/encoder_parity.py --corpus corpus.jsonl.gz --work DIR \\
        --vulnlens target/release/logits [--shape modernbert-base …] [--checkpoint FOLDER …]

A checkpoint of RoBERTa-base's shape (random weights, 175 labels, a byte-level BPE trained on the corpus) is made in DIR
unless an earlier run left it there, or of the shapes that are named; other checkpoints can be named, too. Texts come in the order of their hash: 512 for
logits, each alone through PyTorch in float32, 10,000 for token ids, by tokenizer.json and by the files it is rebuilt from.
The first 32 go through PyTorch in float64 too, which shows whose rounding the differences are. Prints Markdown; exits with 1
where a logit differs by more than 1e-4 or any token id differs.
"""

import argparse
import json
import pathlib
import sys
import tempfile

import numpy as np
import torch
import transformers
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from vulnlens_tools.checkpoints import SHAPES, shaped, vulnlens_rows
from vulnlens_tools.corpus import descriptions
from vulnlens_tools.machine import machine

TEXTS = 512
IDS = 10_000
IN_FLOAT64 = 32
TOLERANCE = 1e-4


def token_limit(folder):
    config = json.loads((folder / "config.json").read_text())
    offset = config["pad_token_id"] + 1 if "roberta" in config["model_type"] else 0
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    return min(config["max_position_embeddings"] - offset, settings.get("model_max_length", sys.maxsize))


@torch.inference_mode()
def torch_logits(folder, ids, kind):
    model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=kind).eval()
    return np.array([model(input_ids=torch.tensor([row])).logits[0].double().numpy() for row in ids])


def without_tokenizer_json(folder, scratch):
    """The same checkpoint with the files that the tokenizer is rebuilt from."""
    bare = pathlib.Path(scratch) / folder.name
    bare.mkdir()
    for file in folder.iterdir():
        if file.name != "tokenizer.json":
            (bare / file.name).symlink_to(file.resolve())
    return bare


def different_ids(options, folder, texts, expected):
    rows = vulnlens_rows(options.vulnlens, folder, texts, "--ids")
    wrong = [i for i, (ours, theirs) in enumerate(zip(rows, expected, strict=True)) if ours != theirs]
    if wrong:
        i = wrong[0]
        at = next((k for k, (a, b) in enumerate(zip(rows[i], expected[i])) if a != b), min(len(rows[i]), len(expected[i])))
        print(f"first difference: text {i}, token {at}", file=sys.stderr)
    return len(wrong)


def compare(options, folder, texts):
    """The rows of the table for one checkpoint, and whether all is well."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    expected = tokenizer(texts, truncation=True, max_length=token_limit(folder))["input_ids"]
    rows = [("token ids: texts that differ", f"{different_ids(options, folder, texts, expected)} of {len(texts):,}")]
    if any((folder / name).exists() for name in ("vocab.txt", "vocab.json")):
        with tempfile.TemporaryDirectory() as scratch:
            wrong = different_ids(options, without_tokenizer_json(folder, scratch), texts, expected)
        rows.append(("the same, tokenizer.json left out", f"{wrong} of {len(texts):,}"))
    ids = expected[: options.texts]
    theirs = torch_logits(folder, ids, torch.float32)
    ours = np.array(vulnlens_rows(options.vulnlens, folder, texts[: options.texts], "--precision", "f32"))
    exact = torch_logits(folder, ids[:IN_FLOAT64], torch.float64)
    greatest = np.abs(ours - theirs).max()
    rows += [
        ("texts, tokens, the longest", f"{len(ids)}, {sum(map(len, ids)):,}, {max(map(len, ids))}"),
        ("logits: mean size, deviation between texts", f"{np.abs(theirs).mean():.3f}, {theirs.std(0).mean():.3f}"),
        ("**max \\|Δlogit\\|** against PyTorch float32", f"**{greatest:.2e}**"),
        ("mean \\|Δlogit\\|", f"{np.abs(ours - theirs).mean():.2e}"),
        ("PyTorch float32 against float64, max", f"{np.abs(theirs[:IN_FLOAT64] - exact).max():.2e}"),
        ("vulnlens against float64, max", f"{np.abs(ours[:IN_FLOAT64] - exact).max():.2e}"),
    ]
    return rows, greatest <= TOLERANCE and all(count.startswith("0 of") for name, count in rows[:2] if " of " in count)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", type=pathlib.Path, required=True, help="corpus.jsonl.gz")
    parser.add_argument("--work", type=pathlib.Path, required=True, help="a folder for the checkpoint")
    parser.add_argument("--vulnlens", type=pathlib.Path, required=True, help="the example `logits`, built")
    parser.add_argument("--shape", action="append", choices=SHAPES, help="make and compare this [default: roberta-base]")
    parser.add_argument("--checkpoint", type=pathlib.Path, action="append", default=[], help="one more to compare")
    parser.add_argument("--texts", type=int, default=TEXTS, help="texts for logits")
    parser.add_argument("--ids", type=int, default=IDS, help="texts for token ids")
    options = parser.parse_args()
    texts = descriptions(options.corpus, max(options.ids, options.texts))
    print(f"torch {torch.__version__}, transformers {transformers.__version__}. {machine()}.")
    well = True
    made = [shaped(options.work, options.corpus, shape) for shape in options.shape or ["roberta-base"]]
    for folder in [*made, *options.checkpoint]:
        rows, good = compare(options, folder, texts)
        config = json.loads((folder / "config.json").read_text())
        print(f"\n| {config['model_type']}, {config['num_hidden_layers']} layers of {config['hidden_size']} | |\n|---|--:|")
        print("".join(f"| {name} | {figure} |\n" for name, figure in rows), end="", flush=True)
        well &= bool(good)
    sys.exit(0 if well else 1)


if __name__ == "__main__":
    main()
