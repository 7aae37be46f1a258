"""A folder that `train encoder` wrote: transformers' logits and token ids against vulnlens'.

    (a Python environment: see the head of tools/vulnlens_tools/checkpoints.py)
    cargo build --release -p vulnlens-bench
    .../bin/python tools/trained_folder_parity.py FOLDER --vulnlens target/release/logits \\
        (--corpus corpus.jsonl.gz | --texts FILE) [--count 512]
    .../bin/python tools/trained_folder_parity.py --record target/release/vulnlens

Texts are the corpus's, in the order of their hash, or the lines of a file; with their folder's newest year before each where its
vulnlens.json says that texts begin so. Prints the greatest difference; exits with 1 where it is above 1e-5 or token ids differ.

`--record` trains a tiny classifier on made-up sentences by the program given, into crates/encoder/tests/fixtures/roberta-trained, and
writes transformers' answers beside it: the tests of the encoder find it there.
"""

import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

import numpy as np
import torch
import transformers
from encoder_fixtures import expected, write_rows
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from vulnlens_tools import fixtures
from vulnlens_tools.checkpoints import vulnlens_rows
from vulnlens_tools.corpus import descriptions
from vulnlens_tools.machine import machine

TOLERANCE = 1e-5
KINDS = [
    ("CWE-79", "cross-site scripting in the {} page injects script"),
    ("CWE-89", "sql injection in the {} query reads tables"),
    ("CWE-22", "path traversal with dot dot in the {} archive reads files"),
    ("CWE-787", "heap buffer overflow in the {} decoder writes out of bounds"),
]
PLACES = ["login", "report", "upload", "profile", "search"]
# What of a trained folder makes the model.
MODEL_FILES = (
    "README.md", "config.json", "merges.txt", "model.safetensors", "special_tokens_map.json", "tokenizer.json",
    "tokenizer_config.json", "vocab.json", "vulnlens.json",
)  # fmt: skip


def made_up(number):
    cwe, words = KINDS[number % len(KINDS)]
    text = words.replace("{}", PLACES[number % len(PLACES)])
    return {"id": f"CVE-{2019 + number % 7}-{10_000 + number}", "description": f"Product{number}: {text}", "cwes": [cwe]}


def record(program):
    """Trains the fixture and asks transformers."""
    target = fixtures.FIXTURES / "roberta-trained"
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        (work / "table.jsonl").write_text("".join(json.dumps(made_up(number)) + "\n" for number in range(400)))

        def run(*words):
            subprocess.run([str(program.resolve()), *words], cwd=work, check=True)

        run("data", "build", "--table", "table.jsonl", "--out", "made-up.parquet")
        run("train", "tokenizer", "--data", "made-up.parquet", "--size", "400", "--out", "tokenizer")
        size = ("--layers", "2", "--hidden", "32", "--heads", "4", "--intermediate", "64", "--positions", "64", "--max-tokens", "64")
        how = ("--objective", "multilabel", "--labels", "attack", "--year", "--epochs", "4", "--batch", "16", "--rate", "5e-3")
        about = ("--data", "made-up.parquet", "--tokenizer", "tokenizer", "--name", "made-up", "--out", "trained")
        run("train", "encoder", *about, *size, *how)
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir()
        for name in MODEL_FILES:
            shutil.copy(work / "trained" / name, target / name)
    model = AutoModelForSequenceClassification.from_pretrained(target, dtype=torch.float32)
    answers = expected(target, {"route": "json", "texts": fixtures.texts(), "model": model})
    write_rows(target / "expected.json", answers | {"made_by": "tools/trained_folder_parity.py"})


def given_texts(options):
    if options.texts:
        return options.texts.read_text().splitlines()[: options.count]
    return descriptions(options.corpus, options.count)


@torch.inference_mode()
def compare(options):
    """Prints the differences, and gives whether there are none that count."""
    header = options.folder / "vulnlens.json"
    header = json.loads(header.read_text()) if header.exists() else {}
    year = f"{header['years']['newest']} " if "years" in header else ""
    texts = [year + text for text in given_texts(options)]
    tokenizer = AutoTokenizer.from_pretrained(options.folder)
    model = AutoModelForSequenceClassification.from_pretrained(options.folder, dtype=torch.float32).eval()
    ids = tokenizer(texts, truncation=True)["input_ids"]
    ours = vulnlens_rows(options.vulnlens, options.folder, texts, "--ids")
    different = sum(a != b for a, b in zip(ids, ours, strict=True))
    theirs = np.array([model(input_ids=torch.tensor([row])).logits[0].numpy() for row in ids])
    logits = np.array(vulnlens_rows(options.vulnlens, options.folder, texts, "--precision", "f32"))
    greatest = float(np.abs(logits - theirs).max())
    print(f"torch {torch.__version__}, transformers {transformers.__version__}. {machine()}.\n")
    config = model.config
    print(f"| {config.model_type}, {config.num_hidden_layers} layers of {config.hidden_size}, {config.num_labels} labels | |\n|---|--:|")
    print(f"| texts, tokens, the longest | {len(ids)}, {sum(map(len, ids)):,}, {max(map(len, ids))} |")
    print(f"| token ids: texts that differ | {different} |")
    print(f"| logits: mean size, deviation between texts | {np.abs(theirs).mean():.3f}, {theirs.std(0).mean():.3f} |")
    print(f"| **max \\|Δlogit\\|** | **{greatest:.2e}** |")
    return different == 0 and greatest <= TOLERANCE


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path, nargs="?", help="what `train encoder` wrote")
    parser.add_argument("--vulnlens", type=pathlib.Path, help="the example `logits`, built")
    parser.add_argument("--corpus", type=pathlib.Path, help="corpus.jsonl.gz")
    parser.add_argument("--texts", type=pathlib.Path, help="a text a line")
    parser.add_argument("--count", type=int, default=512, help="texts at most")
    parser.add_argument("--record", type=pathlib.Path, metavar="VULNLENS", help="make the fixture by this program")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.record:
        record(options.record)
    elif not (options.folder and options.vulnlens and (options.corpus or options.texts)):
        parser.error("a folder, --vulnlens and --corpus or --texts are needed")
    else:
        sys.exit(0 if compare(options) else 1)


if __name__ == "__main__":
    main()
