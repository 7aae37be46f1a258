"""Makes the tiny checkpoints of crates/encoder/tests/fixtures, with what transformers answers for each.

    python3 -m venv /path/outside/the/repository
    .../bin/pip install torch==2.15.0 transformers==4.57.6 peft==0.21.2 sentencepiece==0.2.1 protobuf
    .../bin/python tools/encoder_fixtures.py [NAME ...]

Weights are random (seeded by the folder's name) and wide enough that logits differ from text to text; vocabularies are
trained on made-up sentences. Beside each checkpoint stands `expected.json`: the token ids, logits and scores of the
texts of `texts.json`, each alone (a batch of one, no padding) through the saved files, in float32 on one thread. The
tokenizer, the model and the pipeline are the ones that the Auto classes choose for the folder. The same versions write
the same bytes of everything but the last digits of logits, which may differ from one processor to another. How far
PyTorch's float32 is from its own float64 stands there too: the tests allow 1e-5, so weights must not be so wide that rounding
alone comes near it.

A `tokenizer.json` that does not load is made in two ways: one as an earlier version of the library wrote it (the
ByteLevel pre-tokenizer without `add_prefix_space`, a merge whose result is not in the vocabulary), one a pointer
file of Git LFS in the place of the file itself. Answers for these are those of the folder without the file.

Folders that transformers does not read as they are (`label2id` alone, names behind `module.`) have the answers of the same
checkpoint as it saves it; those with an adapter of PEFT have the answers of the merged model.
"""

import argparse
import json
import math
import pathlib
import shutil
import string
import tempfile
import warnings
import zlib
from collections import Counter

import peft
import safetensors.torch
import sentencepiece
import tokenizers
import torch
import transformers
from tokenizers import normalizers, pre_tokenizers
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer, pipeline

from vulnlens_tools.fixtures import FIXTURES, compact, rewrite_compactly

VOCABULARY = 400

SELECTED = set()  # the folders that are asked for; empty: all

CWES = ["CWE-79", "CWE-89", "CWE-787", "CWE-22", "CWE-416", "CWE-264", "CWE-999999"]
TECHNIQUES = ["T1190", "T1059.003", "T1203", "T1189", "T1086", "T9999", "T1068"]
PATTERNS = ["CAPEC-63", "CAPEC-66", "CAPEC-100", "CAPEC-242", "CAPEC-99999"]
BARE = ["79", "89", "787", "1190.001", "1059.003", "not-a-label"]

PRODUCTS = ["Quill Mail", "Tundra CMS", "libwren", "Kestrel OS", "Marlow Gateway", "the Otter plugin for Fernpress", "ZephyrDB"]
VERSIONS = ["1.2.3", "before 4.0.1", "2.x through 2.9.8", "7.1 and earlier", "3.0-rc1"]
FLAWS = [
    "A buffer overflow in the {part} of {product} {version} allows remote attackers to execute arbitrary code via a long {field}.",
    "Cross-site scripting (XSS) vulnerability in {part} in {product} {version} allows remote attackers to inject arbitrary web script or HTML via the {field} parameter.",
    "SQL injection in {product} {version} lets authenticated users read the database through the {field} field of the {part}.",
    "{product} {version} does not check the {field} in the {part}, leading to a denial of service (crash).",
    "A use-after-free was found in the {part} of {product} {version}; a local user could gain privileges with a crafted {field}.",
    "Directory traversal with ../ sequences in the {field} of {product} {version} discloses files outside the {part}.",
    "Improper authentication in {product} {version} allows an attacker to bypass the {part} using a forged {field}.",
]
PARTS = ["login form", "image parser", "kernel driver", "upload handler", "session manager", "TLS handshake", "XML reader"]
FIELDS = ["username", "file name", "Content-Length header", "cookie", "packet", "search", "URL"]


def sentences():
    """Made-up descriptions: what the vocabularies are trained on, and where the ordinary texts come from."""
    made = []
    for i, product in enumerate(PRODUCTS):
        for j, flaw in enumerate(FLAWS):
            words = {"product": product, "version": VERSIONS[(i + j) % 5], "part": PARTS[(2 * i + j) % 7]}
            made.append(flaw.format(field=FIELDS[(i + 3 * j) % 7], **words))
    return made


def texts():
    """Fifty texts: what tokenizers stumble over, then ordinary ones."""
    made = sentences()
    odd = [
        "", "a", " ", "\n", "\0", "Z", "é", "漏洞", "🦀", "\u0301",
        "缓冲区溢出漏洞允许远程攻击者执行任意代码。", "バッファオーバーフロー in Kestrel OS",
        "🔥🔥 remote 👩‍💻 code execution 🇩🇪", "before\0after the NUL", "Café naïve Ångström crème brûlée",
        "e\u0301 o\u0308 n\u0303 combining marks", "İstanbul ǅ ﬁle ½ ™ ß", "Уязвимость в модуле ядра", "ثغرة أمنية في الخادم",
        "ends with </s>", "</s></s> begins with it", "[CLS] in the [SEP] middle [SEP]", "a <mask> and a [MASK] here",
        "a <pad> then [PAD] then words", "<s> <unk> [UNK] <s>", "##ing ##s ▁x Ġy Ċ",
        "many          spaces     between", "   leading and trailing   ", "tabs\tand\nnew\r\nlines\n\n\nhere",
        "zero\u200bwidth\u200djoiner\ufeffand\u00a0no-break\u3000space\u2028line", "control \x01\x02\x1b[31m\x7f\x85 bytes",
        "private \ue000 use, replacement \ufffd, noncharacter \uffff, astral \U0001d54f\U00020000",
        "int main(void) { char b[8]; strcpy(b, argv[1]); return 0; } /* ../../etc/passwd */",
        "GET /?q=%27%20OR%201=1--&x=<script>alert(1)</script> HTTP/1.1\r\nHost: example.org\r\n\r\n",
        "It's the users' data; they've don't we'll I'm", "x" * 300, "1234567890.12345678901234567890",
        " ".join(["overflow"] * 200), " ".join(made[:12]), "!?,.;:'\"()[]{}<>@#$%^&*-_=+|\\/~`",
    ]
    return odd + [made[i] for i in (0, 8, 16, 24, 32, 40, 48, 5, 13, 21)]


def byte_level_files(folder):
    """vocab.json and merges.txt of a byte-level BPE, numbered as RoBERTa's."""
    tokenizer = tokenizers.ByteLevelBPETokenizer()
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    tokenizer.train_from_iterator(sentences(), vocab_size=VOCABULARY, special_tokens=special, show_progress=False)
    tokenizer.save_model(str(folder))


def word_piece_files(folder, lowercase):
    """vocab.txt of a WordPiece: characters, then the most frequent pairs (the library's trainer breaks ties by chance)."""
    normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    split = pre_tokenizers.BertPreTokenizer().pre_tokenize_str
    known = [normalizer.normalize_str(text) for text in [*sentences(), *string.printable.split(), "漏 洞 é ß"]]
    counts = Counter(word for text in known for word, _ in split(text))
    words = {word: [word[0], *(f"##{letter}" for letter in word[1:])] for word in counts}
    letters = sorted({piece for pieces in words.values() for piece in pieces})
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters]
    while len(vocabulary) < VOCABULARY:
        pairs = Counter()
        for word, pieces in words.items():
            for pair in zip(pieces, pieces[1:]):
                pairs[pair] += counts[word]
        first, second = max(pairs, key=lambda pair: (pairs[pair], pair))
        joined = first + second.removeprefix("##")
        if joined not in vocabulary:
            vocabulary.append(joined)
        for word, pieces in words.items():
            words[word] = merged(pieces, first, second, joined)
    (folder / "vocab.txt").write_text("".join(f"{piece}\n" for piece in vocabulary))


def merged(pieces, first, second, joined):
    """The pieces with each pair made one."""
    out = []
    for piece in pieces:
        if out and out[-1] == first and piece == second:
            out[-1] = joined
        else:
            out.append(piece)
    return out


def whole_tokenizer(limit):
    """A byte-level BPE as ModernBERT has it, which no older files describe: canonical composition, special tokens behind the
    others, runs of spaces as tokens."""
    made = tokenizers.Tokenizer(tokenizers.models.BPE())
    made.normalizer = normalizers.NFC()
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=VOCABULARY, show_progress=False, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=["|||IP_ADDRESS|||", "<|padding|>"],
    )  # fmt: skip
    made.train_from_iterator(sentences(), trainer)
    made.add_tokens([tokenizers.AddedToken(" " * count, normalized=True) for count in range(12, 1, -1)])
    roles = {"unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]", "mask_token": "[MASK]"}
    made.add_special_tokens([tokenizers.AddedToken(token, lstrip=token == "[MASK]") for token in roles.values()])
    around = [(token, made.token_to_id(token)) for token in ("[CLS]", "[SEP]")]
    made.post_processor = tokenizers.processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B [SEP]", special_tokens=around
    )
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=made, model_max_length=limit, model_input_names=["input_ids", "attention_mask"], **roles
    )


# Special pieces as DeBERTa numbers them.
DEBERTA_PIECES = {
    "pad_id": 0, "bos_id": 1, "eos_id": 2, "unk_id": 3,
    "pad_piece": "[PAD]", "bos_piece": "[CLS]", "eos_piece": "[SEP]", "unk_piece": "[UNK]",
}  # fmt: skip


def unigram_file(folder, **special):
    """sentencepiece.bpe.model: a Unigram with a few normalisation rules of its own."""
    (folder / "text").write_text("\n".join(sentences()))
    rules = {0xFF21: "A", 0xFB01: "fi", 0xBD: "1/2", 0x2122: "TM", 0xA0: " ", 0x3000: " ", 0x09: " ", 0x0A: " ", 0x0D: " "}
    lines = (f"{source:X}\t{' '.join(f'{ord(c):X}' for c in target)}\n" for source, target in rules.items())
    (folder / "rules.tsv").write_text("".join(lines))
    sentencepiece.SentencePieceTrainer.train(
        input=folder / "text", model_prefix=folder / "sentencepiece.bpe", vocab_size=300, hard_vocab_limit=False,
        normalization_rule_tsv=folder / "rules.tsv", num_threads=1, minloglevel=2, **special,
    )  # fmt: skip


def tokenizer_for(kind, limit, lowercase):
    """The fast tokenizer of a kind, made from the files that its slow one has."""
    if kind == "modernbert":
        return whole_tokenizer(limit)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        if kind == "deberta-v2":
            unigram_file(folder, **DEBERTA_PIECES)
            (folder / "sentencepiece.bpe.model").rename(folder / "spm.model")
            made = transformers.DebertaV2TokenizerFast(f"{name}/spm.model", model_max_length=limit)
        elif kind == "roberta":
            byte_level_files(folder)
            made = transformers.RobertaTokenizerFast(f"{name}/vocab.json", f"{name}/merges.txt", model_max_length=limit)
        elif kind in ("xlm-roberta", "camembert"):
            unigram_file(folder)
            names = {"xlm-roberta": "XLMRoberta", "camembert": "Camembert"}
            made = getattr(transformers, f"{names[kind]}TokenizerFast")(
                f"{name}/sentencepiece.bpe.model", model_max_length=limit
            )
        else:
            word_piece_files(folder, lowercase)
            names = {"bert": "Bert", "distilbert": "DistilBert", "electra": "Electra"}
            made = getattr(transformers, f"{names[kind]}TokenizerFast")(
                f"{name}/vocab.txt", do_lower_case=lowercase, model_max_length=limit
            )
        return made


def save_tokenizer(tokenizer, folder, route):
    """Writes the tokenizer's files, by one of the routes by which published folders have them."""
    tokenizer.save_pretrained(folder)
    file = folder / "tokenizer.json"
    own = [path for name in ("vocab.json", "merges.txt", "vocab.txt") if (path := folder / name).exists()]
    for name in ("sentencepiece.bpe.model", "spm.model"):
        (folder / name).unlink(missing_ok=True)
    if route == "json":
        rewrite_compactly(file)
        for path in own:
            path.unlink()
    elif route == "slow":
        file.unlink()
        settings = json.loads((folder / "tokenizer_config.json").read_text())
        del settings["added_tokens_decoder"]  # transformers writes it since 4.33
        (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    elif route == "old":
        described = json.loads(file.read_text())
        del described["pre_tokenizer"]["add_prefix_space"]
        described["model"]["merges"] = [" ".join(pair) for pair in described["model"]["merges"]] + ["zq zq"]
        file.write_text(compact(described) + "\n")
    elif route == "pointer":
        digest = f"{zlib.crc32(file.read_bytes()):064x}"
        size = file.stat().st_size
        file.write_text(f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {size}\n")
    for path in folder.glob("*.json"):
        if path.name != "tokenizer.json":
            rewrite_compactly(path)


def config_for(kind, tokenizer, labels, settings):
    """A configuration of a kind: hidden 32, two layers, four heads, unless the settings say otherwise."""
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
    sizes["max_position_embeddings"] = 66
    if kind == "distilbert":
        renamed = {"hidden_size": "dim", "num_hidden_layers": "n_layers", "num_attention_heads": "n_heads"}
        renamed["intermediate_size"] = "hidden_dim"
        sizes = {renamed.get(name, name): value for name, value in sizes.items()}
    special = {name: getattr(tokenizer, name) for name in ("pad_token_id", "bos_token_id", "eos_token_id")}
    fields = {**sizes, **{name: value for name, value in special.items() if value is not None}, **settings}
    names = dict(enumerate(labels))
    return AutoConfig.for_model(
        kind, vocab_size=len(tokenizer), id2label=names, label2id={label: i for i, label in names.items()}, **fields
    )


def fill(model, seed):
    """Random weights: such that hidden states keep their size, norms and biases matter, and attention has preferences."""
    generator = torch.Generator().manual_seed(seed)
    for name, weight in sorted(model.named_parameters()):
        noise = torch.randn(weight.shape, generator=generator)
        if "norm" in name.lower():
            noise = 0.2 * noise + (1.0 if name.endswith("weight") else 0.0)
        elif weight.dim() == 2 and "embeddings." not in name:
            noise *= 1.2 / math.sqrt(weight.shape[1])
        elif weight.dim() == 1:
            noise *= 0.3
        weight.data.copy_(noise)


@torch.inference_mode()
def centre(model, tokenizer, all_texts):
    """Moves the head's biases such that each label applies to about half of the texts: routing then has all cases."""
    limit = tokenizer.model_max_length
    logits = [model(**tokenizer(text, return_tensors="pt", truncation=True, max_length=limit)).logits for text in all_texts]
    middle = torch.cat(logits).median(0).values
    model.classifier.out_proj.bias.data -= torch.round(middle, decimals=3)  # the same bytes on every processor


def old_names(state):
    """The names that BERT's first checkpoints used, with the buffer that they carried."""
    renamed = {}
    for name, tensor in state.items():
        name = name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")
        renamed[name] = tensor
    return renamed


def save_weights(model, folder, form):
    if form == "safetensors":
        model.save_pretrained(folder)
    elif form == "shards":
        model.save_pretrained(folder, max_shard_size="60KB")
    elif form in ("f16", "bf16"):
        model.to({"f16": torch.float16, "bf16": torch.bfloat16}[form]).save_pretrained(folder)
    else:
        model.config.architectures = [type(model).__name__]
        model.config.save_pretrained(folder)
        state = dict(model.state_dict())
        positions = model.config.max_position_embeddings
        state[f"{model.base_model_prefix}.embeddings.position_ids"] = torch.arange(positions).expand(1, -1)
        torch.save(old_names(state) if form == "old" else state, folder / "pytorch_model.bin")


def digits(values):
    """Nine significant digits, which give any float32 back."""
    return [float(f"{float(value):.9g}") for value in values]


def loadable(folder, route, scratch):
    """The folder that transformers is given: without a tokenizer.json that does not load."""
    if route not in ("old", "pointer"):
        return folder
    copy = pathlib.Path(scratch) / folder.name
    shutil.copytree(folder, copy)
    try:
        tokenizers.Tokenizer.from_file(str(copy / "tokenizer.json"))
    except Exception as error:
        print(f"  tokenizer.json: {error}")
    else:
        raise AssertionError("the tokenizer.json that should be broken loads")
    (copy / "tokenizer.json").unlink()
    return copy


@torch.inference_mode()
def expected(folder, given):
    """What transformers answers for the folder that `given["model"]` was saved to."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = loadable(folder, given["route"], scratch)
        tokenizer = AutoTokenizer.from_pretrained(folder)
        model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32).eval()
    for name, weight in given["model"].named_parameters():
        assert torch.equal(weight.float(), model.get_parameter(name)), f"{name} was not loaded"
    config = model.config
    offset = tokenizer.pad_token_id + 1 if is_offset(config.model_type) else 0
    limit = config.max_position_embeddings - offset
    asked = {"truncation": True, "max_length": limit}
    classify = pipeline("text-classification", model=model, tokenizer=tokenizer, top_k=None, device="cpu")
    ids, logits, scores = [], [], []
    for text in given["texts"]:
        batch = tokenizer(text, return_tensors="pt", **asked)
        ids.append(batch["input_ids"][0].tolist())
        logits.append(digits(model(**batch).logits[0]))
        answers = {answer["label"]: answer["score"] for answer in classify([text], **asked)[0]}
        scores.append(digits(answers[config.id2label[i]] for i in range(config.num_labels)))
    exact = [model.double()(input_ids=torch.tensor([row])).logits[0].tolist() for row in ids]
    libraries = {library.__name__: library.__version__ for library in (torch, transformers, tokenizers)}
    return {
        "made_by": "tools/encoder_fixtures.py",
        "versions": libraries,
        "torch_float64_max_distance": float(f"{(torch.tensor(logits).double() - torch.tensor(exact)).abs().max():.2g}"),
        "max_tokens": limit,
        "labels": [config.id2label[i] for i in range(config.num_labels)],
        "ids": ids,
        "logits": logits,
        "scores": scores,
    } | {function: by_function(classify, function, given["texts"], asked) for function in given.get("functions", ())}


def is_offset(kind):
    """Whether a network's positions begin after the padding token's."""
    return "roberta" in kind or kind == "camembert"


def by_function(classify, function, all_texts, asked):
    """The scores of the pipeline that is told how to make them."""
    labels = classify.model.config.id2label
    rows = []
    for text in all_texts:
        answers = {answer["label"]: answer["score"] for answer in classify([text], function_to_apply=function, **asked)[0]}
        rows.append(digits(answers[labels[i]] for i in range(len(labels))))
    return rows


def write_rows(path, document):
    """JSON with a line for each text."""
    lines = []
    for key, value in document.items():
        if key in ("ids", "logits", "scores", "sigmoid", "softmax"):
            rows = ",\n".join(json.dumps(row, separators=(",", ":")) for row in value)
            lines.append(f"{json.dumps(key)}: [\n{rows}\n]")
        else:
            lines.append(f"{json.dumps(key)}: {json.dumps(value)}")
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def make(
    name, kind, labels, all_texts, *, route="json", form="safetensors", lowercase=True, centred=False,
    before=None, after=None, functions=(), **settings,
):  # fmt: skip
    """One folder; `before` changes it before it is asked, `after` when it was."""
    if SELECTED and name not in SELECTED:
        return
    folder = FIXTURES / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    positions = settings.get("max_position_embeddings", 66)
    tokenizer = tokenizer_for(kind, positions - 2 if is_offset(kind) else positions, lowercase)
    config = config_for(kind, tokenizer, labels, settings)
    model = AutoModelForSequenceClassification.from_config(config).eval()
    fill(model, zlib.crc32(name.encode()))
    if centred:
        centre(model, tokenizer, all_texts)
    save_weights(model, folder, form)
    save_tokenizer(tokenizer, folder, route)
    if before:
        before(folder)
    answers = expected(folder, {"route": route, "texts": all_texts, "model": model, "functions": functions})
    if after:
        answers = after(folder, all_texts) or answers
    write_rows(folder / "expected.json", answers)
    spread = torch.tensor(answers["logits"])
    size = sum(path.stat().st_size for path in folder.iterdir())
    rounding = answers["torch_float64_max_distance"]
    print(
        f"{name}: {size:,} bytes; logits between texts ± {spread.std(0).mean():.2f}, mean size {spread.abs().mean():.2f}, "
        f"PyTorch's own rounding {rounding}"
    )
    assert size < 300_000, name
    assert rounding < 2.5e-6, f"{name}: float32 is too coarse for a test at 1e-5"
    assert spread.std(0).min() > 0.05, name


def make_flat(given):
    multi, single = "multi_label_classification", "single_label_classification"
    make("roberta", "roberta", CWES, given, problem_type=multi, layer_norm_eps=1e-5, type_vocab_size=1)
    make("roberta-bin-slow", "roberta", [*TECHNIQUES, *BARE[:2]], given, route="slow", form="bin", problem_type=multi,
         layer_norm_eps=1e-5, type_vocab_size=1, max_position_embeddings=40)
    make("roberta-broken-tokenizer", "roberta", CWES[:3] + BARE, given, route="old", problem_type=multi, type_vocab_size=2)
    make("roberta-shards", "roberta", CWES + TECHNIQUES + PATTERNS, given, form="shards", problem_type=multi,
         hidden_size=48, num_attention_heads=3, intermediate_size=80, layer_norm_eps=1e-3)
    make("roberta-bf16", "roberta", PATTERNS, given, form="bf16", problem_type=single, hidden_act="gelu_pytorch_tanh")
    make("bert", "bert", TECHNIQUES, given, problem_type=multi, type_vocab_size=2)
    make("bert-old-slow", "bert", PATTERNS, given, route="slow", form="old", problem_type=single)
    make("bert-cased-slow", "bert", CWES, given, route="slow", lowercase=False, hidden_act="relu", layer_norm_eps=1e-6)
    make("bert-broken-tokenizer", "bert", BARE, given, route="pointer", problem_type=multi, max_position_embeddings=24)
    make("bert-f16", "bert", CWES[:2], given, form="f16", hidden_act="gelu_new", problem_type=single)
    make("bert-one-label", "bert", ["CWE-79"], given, hidden_act="silu", type_vocab_size=1, num_hidden_layers=1)
    make("distilbert", "distilbert", CWES, given, problem_type=multi)
    make("electra", "electra", TECHNIQUES + BARE, given, problem_type=multi, embedding_size=24)
    make("electra-same-width", "electra", PATTERNS, given, embedding_size=32, num_hidden_layers=1)
    # Windows shorter than the texts, and texts longer than the blocks in which attention is computed.
    modern = {"num_hidden_layers": 3, "intermediate_size": 40, "max_position_embeddings": 160, "problem_type": multi}
    make("modernbert", "modernbert", CWES, given, local_attention=18, **modern)
    biases = {f"{part}_bias": True for part in ("norm", "attention", "mlp", "classifier")}
    make("modernbert-mean-shards", "modernbert", TECHNIQUES, given, form="shards", classifier_pooling="mean", local_attention=48,
         global_attn_every_n_layers=2,
         global_rope_theta=5000.0, local_rope_theta=None, classifier_activation="silu", hidden_activation="gelu_new", norm_eps=1e-4,
         hidden_size=24, **biases, **modern)
    deberta = {"relative_attention": True, "problem_type": multi, "layer_norm_eps": 1e-7}
    make("deberta", "deberta-v2", CWES, given, pos_att_type="p2c|c2p", share_att_key=True, norm_rel_ebd="layer_norm",
         position_buckets=16, position_biased_input=False, max_position_embeddings=120, **deberta)
    make("deberta-own-keys", "deberta-v2", PATTERNS, given, pos_att_type=["c2p", "p2c"], max_relative_positions=24,
         type_vocab_size=2, pooler_hidden_act="tanh", **deberta)
    make("xlm-roberta", "xlm-roberta", PATTERNS + CWES, given, problem_type=multi, layer_norm_eps=1e-5, type_vocab_size=1)  # fmt: skip


def make_hierarchies(given):
    """Sub-folders as published: a master and its slaves, and three levels of attack patterns."""
    small = {"hidden_size": 16, "num_attention_heads": 2, "num_hidden_layers": 1, "intermediate_size": 32}
    small |= {"max_position_embeddings": 34, "problem_type": "multi_label_classification"}
    folders = {
        "hierarchy-cwe": {
            "master": ["CWE-284", "CWE-664", "CWE-703", "CWE-707"],
            "slave_CWE-284": ["CWE-285", "CWE-287"],
            "slave_CWE-664": ["CWE-118", "CWE-400", "CWE-668"],
            "slave_CWE-707": ["CWE-20", "CWE-74", "CWE-116"],
        },
        "hierarchy-capec": {
            "capec_level_0_master": ["CAPEC-152", "CAPEC-210", "CAPEC-255"],
            "capec_level_1_slave_CAPEC-152": ["CAPEC-240", "CAPEC-242", "CAPEC-248"],
            "capec_level_1_slave_CAPEC-210": ["CAPEC-22", "CAPEC-113", "CAPEC-212"],
            "capec_level_2_slave_CAPEC-242": ["CAPEC-19", "CAPEC-63"],
            "capec_level_2_slave_CAPEC-248": ["CAPEC-66", "CAPEC-88", "CAPEC-136"],
        },
    }
    for repository, models_of in folders.items():
        for name, labels in models_of.items():
            make(f"{repository}/{name}", "roberta", labels, given, centred=True, **small)


def changed(file, change):
    """Rewrites a JSON file of a folder."""
    described = json.loads(file.read_text())
    change(described)
    file.write_text(compact(described) + "\n")


def cut_left(folder):
    changed(folder / "tokenizer_config.json", lambda settings: settings.update(truncation_side="left"))


def cut_left_by_tokenizer(folder):
    """The side that too long texts lose, said by tokenizer.json alone."""
    cut = {"direction": "Left", "max_length": 20, "strategy": "LongestFirst", "stride": 0}
    changed(folder / "tokenizer.json", lambda described: described.update(truncation=cut))
    changed(folder / "tokenizer_config.json", lambda settings: settings.pop("truncation_side", None))


def by_label2id(folder, _):
    changed(folder / "config.json", lambda config: config.pop("id2label"))


def wrapped(folder, _):
    """Names as a training loop of one's own saves them: of a compiled network on several devices."""
    file = folder / "model.safetensors"
    state = safetensors.torch.load_file(file)
    safetensors.torch.save_file({f"module._orig_mod.{name}": tensor for name, tensor in state.items()}, file)


def adapted(bare=False, **settings):
    """Puts an adapter beside the weights; `bare` leaves these without their head and the prefix of their names."""

    def change(folder, all_texts):
        base = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32)
        inner = {name: tensor.clone() for name, tensor in base.base_model.state_dict().items()}
        model = peft.get_peft_model(base, peft.LoraConfig(task_type="SEQ_CLS", **settings))
        generator = torch.Generator().manual_seed(zlib.crc32(folder.name.encode()))
        for _, weight in sorted((name, w) for name, w in model.named_parameters() if w.requires_grad):
            weight.data.copy_(0.3 * torch.randn(weight.shape, generator=generator))
        with tempfile.TemporaryDirectory() as name:
            scratch = pathlib.Path(name)
            model.save_pretrained(scratch / "adapter")
            fresh = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32)
            merged = peft.PeftModel.from_pretrained(fresh, scratch / "adapter").merge_and_unload().eval()
            merged.save_pretrained(scratch / "merged")
            for path in folder.glob("*token*"):
                shutil.copy(path, scratch / "merged" / path.name)
            answers = expected(scratch / "merged", {"route": "json", "texts": all_texts, "model": merged})
            for path in (scratch / "adapter").glob("adapter_*"):
                shutil.copy(path, folder / path.name)
        changed(folder / "adapter_config.json", lambda config: config.update(base_model_name_or_path="example/base"))
        if bare:
            safetensors.torch.save_file(inner, folder / "model.safetensors")
        return answers

    return change


def make_odd(given):
    """Folders that leave something open, or that transformers itself does not read as they are."""
    multi = "multi_label_classification"
    small = {"hidden_size": 16, "num_attention_heads": 2, "num_hidden_layers": 1, "intermediate_size": 32}
    small |= {"max_position_embeddings": 34}
    make("roberta-label2id", "roberta", CWES[:5], given, after=by_label2id, problem_type=multi, **small)
    make("bert-open-scores", "bert", CWES[:4], given, functions=("sigmoid", "softmax"), **small)
    make("roberta-wrapped", "roberta", PATTERNS, given, after=wrapped, problem_type=multi, **small)
    make("camembert", "camembert", CWES[:4], given, problem_type=multi, layer_norm_eps=1e-5, type_vocab_size=1, **small)
    make("bert-left", "bert", TECHNIQUES[:3], given, before=cut_left, problem_type=multi, **small)
    make("roberta-left", "roberta", TECHNIQUES[:3], given, before=cut_left_by_tokenizer, problem_type=multi, **small)
    lora = adapted(r=4, lora_alpha=6, target_modules=["query", "value", "intermediate.dense"])
    make("roberta-lora", "roberta", CWES[:4], given, after=lora, problem_type=multi, **small)
    rslora = adapted(bare=True, r=2, lora_alpha=3, use_rslora=True, rank_pattern={"key": 5}, target_modules=["query", "key"])
    make("bert-lora-bare", "bert", PATTERNS[:3], given, after=rslora, problem_type=multi, **small)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="folders to make; without, all of them")
    SELECTED.update(parser.parse_args().names)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    warnings.filterwarnings("ignore")
    given = texts()
    assert len(given) == len(set(given)) == 50
    FIXTURES.mkdir(parents=True, exist_ok=True)
    (FIXTURES / "texts.json").write_text(json.dumps(given, indent=0) + "\n")
    make_flat(given)
    make_odd(given)
    make_hierarchies(given)


if __name__ == "__main__":
    main()
