"""Records what PyTorch computes in training, for crates/encoder/tests/training.

    python3 -m venv /path/outside/the/repository
    .../bin/pip install torch==2.15.0 transformers==4.57.6
    .../bin/python tools/training_fixtures.py

Starts from the tiny checkpoints of crates/encoder/tests/fixtures (tools/encoder_fixtures.py) and writes to their folder
`training`:

- `NAME-OBJECTIVE.safetensors`: the gradient of every parameter, without dropout, computed in float64 and stored as
  float32; of the table of words only the rows that have one, where these are few. Heads for masked-language training,
  which the checkpoints lack, are random and stored there too (`value:NAME`).
- `cases.json`: the token ids, targets and loss of each of these files.
- `steps.json`: losses and gradient norms of 100 steps of AdamW in float32, with warm-up, clipping and decay.
- `objectives.json`: losses of single matrices of logits, with their gradients.
"""

import zlib

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from transformers import (
    AutoModelForMaskedLM,
    AutoModelForSequenceClassification,
    get_cosine_schedule_with_warmup,
    get_linear_schedule_with_warmup,
    logging,
)

from vulnlens_tools.fixtures import FIXTURES, recorded, write_list

TARGET = FIXTURES / "training"
# A letter, an emoji, `<pad>` spelt out, long lines that are cut, ordinary descriptions.
TEXTS = [1, 8, 23, 36, 38, 40, 41, 44]
ORDINARY = list(range(40, 50))


def texts_of(name, numbers):
    """Token ids of some of the texts that the checkpoint's fixture has."""
    ids = recorded(name)["ids"]
    return [ids[number] for number in numbers]


def logits_of(model, texts):
    """Each text alone: no padding, as our batches have none."""
    return torch.cat([model(input_ids=torch.tensor([text])).logits for text in texts])


def targets_for(objective, shape, generator):
    if objective == "bce":
        return (torch.rand(shape, generator=generator) < 0.4).double()
    weights = torch.rand(shape, generator=generator).double()
    weights[0] = F.one_hot(torch.tensor(1), shape[1]).double()  # one class alone
    return (weights / weights.sum(1, keepdim=True)).float().double()


def classification(name, objective, generator):
    model = AutoModelForSequenceClassification.from_pretrained(FIXTURES / name).double().eval()
    texts = texts_of(name, TEXTS)
    logits = logits_of(model, texts)
    targets = targets_for(objective, logits.shape, generator)
    loss = F.binary_cross_entropy_with_logits if objective == "bce" else F.cross_entropy
    value = loss(logits, targets)
    value.backward()
    return model, {"texts": texts, "targets": targets.float().flatten().tolist(), "loss": value.item()}, {}


def masked(name, generator):
    logging.set_verbosity_error()
    model = AutoModelForMaskedLM.from_pretrained(FIXTURES / name).eval()
    stored = set(AutoModelForSequenceClassification.from_pretrained(FIXTURES / name).state_dict())
    head = {}
    for key, weight in model.named_parameters():
        if key not in stored:
            noise = torch.randn(weight.shape, generator=generator) * (0.05 if "norm" in key.lower() else 0.2)
            # Small normalised vectors: logits of a table of words this wide would be far apart otherwise.
            weight.data.copy_(noise + (0.2 if "norm.weight" in key.lower() else 0.0))
            head[key] = weight.detach().clone()
    model.double()
    texts, places, targets, logits = texts_of(name, TEXTS), [], [], []
    for number, text in enumerate(texts):
        chosen = [] if number == 1 else [place for place in range(1, len(text)) if place % 6 == number % 6]
        places.append(chosen)
        targets += torch.randint(0, model.config.vocab_size, (len(chosen),), generator=generator).tolist()
        logits.append(model(input_ids=torch.tensor([text])).logits[0, chosen])
    value = F.cross_entropy(torch.cat(logits), torch.tensor(targets))
    value.backward()
    return model, {"texts": texts, "places": places, "classes": targets, "loss": value.item()}, head


def record(name, objective):
    """One file of gradients; gives its case."""
    generator = torch.Generator().manual_seed(zlib.crc32(f"{name} {objective}".encode()))
    made = masked(name, generator) if objective == "mlm" else classification(name, objective, generator)
    model, case, head = made
    tensors = {f"value:{key}": value.contiguous() for key, value in head.items()}
    rows = []
    for key, weight in model.named_parameters():
        assert weight.grad is not None and weight.grad.abs().max() > 0, f"{name}: {key} has no gradient"
        gradient = weight.grad.float()
        if key.endswith(("word_embeddings.weight", "tok_embeddings.weight")) and objective != "mlm":
            rows = gradient.abs().amax(1).nonzero().flatten().tolist()
            gradient = gradient[rows]
        tensors[key] = gradient.contiguous()
    file = f"{name}-{objective}.safetensors"
    save_file(tensors, TARGET / file)
    print(f"{file}: {(TARGET / file).stat().st_size:,} bytes, loss {case['loss']:.4f}")
    return {"checkpoint": name, "objective": objective, "file": file, "rows": rows, **case}


def steps(name, schedule, rate):
    """A hundred steps over ordinary texts, five at a time."""
    torch.manual_seed(1)
    model = AutoModelForSequenceClassification.from_pretrained(FIXTURES / name).eval()
    texts = texts_of(name, ORDINARY)
    targets = (torch.rand(len(texts), model.config.num_labels) < 0.4).float()
    spared = [key for key, _ in model.named_parameters() if key.endswith("bias") or "LayerNorm" in key]
    groups = [
        {"params": [p for key, p in model.named_parameters() if key not in spared], "weight_decay": 0.1},
        {"params": [p for key, p in model.named_parameters() if key in spared], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.999), eps=1e-8)
    scheduler = schedule(optimizer, num_warmup_steps=10, num_training_steps=100)
    losses, norms = [], []
    for step in range(100):
        chosen = [(5 * step + i) % len(texts) for i in range(5)]
        loss = F.binary_cross_entropy_with_logits(logits_of(model, [texts[i] for i in chosen]), targets[chosen])
        optimizer.zero_grad()
        loss.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(model.parameters(), 0.5).item())
        losses.append(loss.item())
        optimizer.step()
        scheduler.step()
    print(f"{name}: loss from {losses[0]:.4f} to {losses[-1]:.4f}, norm from {norms[0]:.3f} to {norms[-1]:.3f}")
    return {
        "checkpoint": name, "schedule": schedule.__name__.split("_")[1], "rate": rate, "decay": 0.1, "clip": 0.5,
        "warmup": 10, "texts": texts, "targets": targets.int().flatten().tolist(), "together": 5,
        "losses": losses, "norms": norms,
    }  # fmt: skip


def asymmetric(logits, targets, positive_focus, negative_focus, shift):
    """Ridnik et al., arXiv 2009.14119, equations 1, 2 and 7; the mean instead of the sum."""
    p = torch.sigmoid(logits)
    q = (p - shift).clamp(min=0)
    positive = -((1 - p) ** positive_focus) * torch.log(p)
    negative = -(q**negative_focus) * torch.log(1 - q)
    return (targets * positive + (1 - targets) * negative).mean()


def marginals(z, y, labels):
    """The labels' binary cross-entropies, a label being as probable as the classes that have it."""
    each = F.binary_cross_entropy(torch.softmax(z, 1) @ labels, y @ labels, reduction="none")
    return each.sum(1).mean()


def objectives():
    generator = torch.Generator().manual_seed(5)
    logits = 3 * torch.randn(6, 5, generator=generator)
    binary = (torch.rand(6, 5, generator=generator) < 0.4).float()
    shares = torch.rand(6, 5, generator=generator)
    shares = shares / shares.sum(1, keepdim=True)
    weights = torch.tensor([1.0, 0.5, 4.0, 10.0, 2.5])
    classes = F.one_hot(torch.arange(6) % 5, 5).float()
    labels = torch.tensor([[1, 0, 0], [1, 1, 0], [0, 0, 0], [0, 1, 1], [0, 0, 1]]).double()
    bce = F.binary_cross_entropy_with_logits
    losses = {
        "plain": (binary, lambda z, y: bce(z, y)),
        "weighted": (binary, lambda z, y: bce(z, y, pos_weight=weights.double())),
        "focal": (binary, lambda z, y: asymmetric(z, y, 2, 2, 0)),
        "asymmetric": (binary, lambda z, y: asymmetric(z, y, 1, 4, 0.05)),
        "softmax": (shares, lambda z, y: F.cross_entropy(z, y)),
        "softmax and marginals": (classes, lambda z, y: F.cross_entropy(z, y) + 0.25 * marginals(z, y, labels)),
    }
    for name, (targets, loss) in losses.items():
        z = logits.double().requires_grad_()
        value = loss(z, targets.double())
        value.backward()
        numbers = {"logits": logits, "targets": targets, "gradient": z.grad}
        yield {"name": name, "loss": value.item(), **{key: x.flatten().tolist() for key, x in numbers.items()}}


def main():
    torch.set_num_threads(1)
    TARGET.mkdir(exist_ok=True)
    architectures = ["roberta", "xlm-roberta", "bert", "distilbert", "electra"]
    cases = [record(name, "bce") for name in [*architectures, "electra-same-width", "bert-cased-slow"]]
    cases += [record(name, "softmax") for name in ["roberta", "bert", "electra"]]
    cases += [record(name, "mlm") for name in architectures]
    cases += [record("modernbert", "bce"), record("modernbert-mean-shards", "softmax"), record("modernbert-mean-shards", "mlm")]
    write_list(TARGET / "cases.json", cases)
    runs = [steps("roberta", get_linear_schedule_with_warmup, 1e-3), steps("bert", get_cosine_schedule_with_warmup, 1e-3)]
    write_list(TARGET / "steps.json", runs)
    write_list(TARGET / "objectives.json", objectives())
    print(f"{sum(path.stat().st_size for path in TARGET.iterdir()):,} bytes in all")


if __name__ == "__main__":
    main()
