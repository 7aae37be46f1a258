"""`vulnlens serve` beside a service as this field runs it: FastAPI, transformers and a classifier of RoBERTa-base's shape.

    python3 -m venv /path/outside/the/repository
    .../bin/pip install torch==2.15.0 transformers==4.57.6 fastapi uvicorn
    PYTHONPATH=tools .../bin/python benches/serve_peer.py --vulnlens target/release/vulnlens --records records.jsonl \
        --corpus corpus.jsonl.gz --work FOLDER

The peer loads a checkpoint of that shape with random weights (what is measured does not depend on them) and answers
`POST /classify/attack-techniques` as CIRCL's ML-Gateway does: one text a request, the model called in the pool of threads, PyTorch
on both cores. wrk sends the same bodies to both, in turn, in the same run; the table has requests per second and their ratio.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.request

from vulnlens_tools.checkpoints import roberta_base
from vulnlens_tools.serving import Serving
from vulnlens_tools.wrk import Wrk, first_texts

TEXTS, PORT = 500, 18_473


def serve(checkpoint):
    """The peer: what runs in a process of its own."""
    import fastapi
    import pydantic
    import torch
    import uvicorn
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(checkpoint)
    model = AutoModelForSequenceClassification.from_pretrained(checkpoint).eval()
    app = fastapi.FastAPI()

    class Asked(pydantic.BaseModel):
        description: str
        top_k: int = 10

    @app.post("/classify/attack-techniques")
    def classify(asked: Asked):
        inputs = tokenizer(asked.description, return_tensors="pt", truncation=True, max_length=512)
        with torch.no_grad():
            scores = torch.sigmoid(model(**inputs).logits[0])
        best = torch.topk(scores, asked.top_k)
        found = [
            {"technique": model.config.id2label[place], "score": score, "predicted": score >= 0.5}
            for score, place in zip(best.values.tolist(), best.indices.tolist(), strict=True)
        ]
        return {"techniques": found, "model": "peer"}

    @app.get("/health")
    def health():
        return {}

    uvicorn.run(app, host="127.0.0.1", port=PORT, log_level="error")


class Peer:
    def __init__(self, checkpoint):
        self.address = f"http://127.0.0.1:{PORT}/"
        self.process = subprocess.Popen([sys.executable, __file__, "--peer", str(checkpoint)])
        for _ in range(240):
            try:
                urllib.request.urlopen(f"{self.address}health", timeout=5).read()
                return
            except OSError:
                time.sleep(0.5)
        raise SystemExit("the peer did not start")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(timeout=30)


def load(wrk, address, connections, seconds):
    """What the route of techniques answers; a refusal ends the script."""
    found = wrk.load(f"{address}classify/attack-techniques", connections, seconds, timeout=60)
    if found.refused:
        raise SystemExit(f"{address}: refused {found.refused} requests")
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", help=argparse.SUPPRESS)
    parser.add_argument("--vulnlens")
    parser.add_argument("--records", type=pathlib.Path)
    parser.add_argument("--corpus", type=pathlib.Path)
    parser.add_argument("--work", type=pathlib.Path)
    parser.add_argument("--seconds", type=int, default=20)
    arguments = parser.parse_args()
    if arguments.peer:
        serve(arguments.peer)
        return
    checkpoint = roberta_base(arguments.work, arguments.corpus)
    with tempfile.TemporaryDirectory() as folder:
        texts = first_texts(arguments.records, TEXTS)
        wrk = Wrk(folder, ({"description": text, "top_k": 10} for text in texts))
        print("| service | connections | requests/s | p99 |\n|---|--:|--:|--:|")
        rates = {}
        for connections in (1, 64):
            for name in ("FastAPI + transformers", "vulnlens serve, `fast`", "vulnlens serve, `accurate`"):
                model = name.rpartition(" ")[2].strip("`")
                with Peer(checkpoint) if model == "transformers" else Serving(arguments.vulnlens, model) as server:
                    load(wrk, server.address, connections, 3)
                    found = load(wrk, server.address, connections, arguments.seconds)
                rates[name, connections] = found.rate
                print(f"| {name} | {connections} | {found.rate:,.1f} | {found.latency} |", flush=True)
        for (name, connections), rate in rates.items():
            peer = rates["FastAPI + transformers", connections]
            if name.startswith("vulnlens"):
                # In a short window the peer may answer nothing.
                times = f"{rate / peer:,.0f} times the peer" if peer else "the peer answered nothing"
                print(f"\n{name}, {connections} connections: {times}")


if __name__ == "__main__":
    main()
