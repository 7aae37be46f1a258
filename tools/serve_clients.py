#!/usr/bin/env python3
"""Asks a server by clients of others: huggingface_hub's InferenceClient, and text-embeddings-inference's route.

    pip install huggingface_hub
    python3 tools/serve_clients.py target/release/vulnlens

Starts `BINARY serve` on a free port, once without a key and once with one. Ends with an error where an answer is not
what the client expects.
"""

import json
import sys
import urllib.error
import urllib.request

from huggingface_hub import InferenceClient
from vulnlens_tools.serving import Serving

KEY = "a-key-for-tests"
TEXT = "SQL injection in login.php allows remote attackers to read the users table"
OTHER = "Use after free in a browser allows remote attackers to execute arbitrary code"


def check(holds, what):
    if not holds:
        raise SystemExit(f"failed: {what}")
    print(f"ok: {what}")


def post(url, body, key=None):
    headers = {"Content-Type": "application/json"}
    if key is not None:
        headers["Authorization"] = f"Bearer {key}"
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def falls(scores):
    return all(a >= b for a, b in zip(scores, scores[1:])) and all(0 <= score <= 1 for score in scores)


def inference_client(address, key):
    """The client of Hugging Face's inference API, which is given the address as a model or as a base."""
    for way in ({"model": address}, {"base_url": address}):
        name = f"InferenceClient({next(iter(way))}=URL)"
        client = InferenceClient(**way, token=key, timeout=60)
        found = client.text_classification(TEXT)
        check(found[0].label == "CWE-89", f"{name}.text_classification: {found[0].label}")
        check(len(found) > 100 and falls([one.score for one in found]), f"{name}: {len(found)} labels, the best first")
        check(len(client.text_classification(TEXT, top_k=3)) == 3, f"{name}: top_k")
        check(client.text_classification(TEXT, function_to_apply="sigmoid")[0].label == "CWE-89", f"{name}: a function")
    client = InferenceClient(token=key, timeout=60)
    check(client.text_classification(OTHER, model=address)[0].label == "CWE-416", "text_classification(model=URL)")


def embeddings_inference(address, key):
    """The route of text-embeddings-inference."""
    url = f"{address}predict"
    status, one = post(url, {"inputs": TEXT, "truncate": True}, key)
    check(status == 200 and one[0]["label"] == "CWE-89", "/predict: a text")
    check(falls([scored["score"] for scored in one]), "/predict: the best first")
    status, batch = post(url, {"inputs": [[TEXT], [OTHER]], "raw_scores": False}, key)
    labels = [scored[0]["label"] for scored in batch]
    check(status == 200 and labels == ["CWE-89", "CWE-416"], "/predict: several texts")
    status, error = post(url, {"inputs": ""}, key)
    check(status == 400 and {"error", "error_type"} <= error.keys(), "/predict: an error in its form")


def main():
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    for key in (None, KEY):
        with Serving(sys.argv[1], "fast", key=key) as server:
            inference_client(server.address, key)
            embeddings_inference(server.address, key)
            if key is not None:
                check(post(f"{server.address}predict", {"inputs": TEXT})[0] == 401, "/predict: without the key")


if __name__ == "__main__":
    main()
