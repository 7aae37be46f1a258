"""Checkpoints at full size: of RoBERTa-base's shape or another's, their renderings in ONNX, and how engines are asked.

    python3 -m venv /path/outside/the/repository
    .../bin/pip install torch==2.15.0 transformers==4.57.6 onnx==1.23.2 onnxscript==0.7.2 onnxruntime==1.32.0 scikit-learn

The work folder that each script is given keeps what is slow to make; a second run finds it there.
"""

import json
import logging
import subprocess

from vulnlens_tools.corpus import corpus_records

SEED = 20_260_101
LABELS = 175


def finished(folder, make):
    """The folder, made first if no earlier run finished it."""
    done = folder / "done"
    if not done.exists():
        folder.mkdir(parents=True, exist_ok=True)
        make(folder)
        done.touch()
    return folder


def roberta_base(work, corpus):
    """A checkpoint of RoBERTa-base's shape with 175 labels: random weights, a byte-level BPE trained on descriptions."""
    return finished(work / "roberta-base", lambda folder: make_roberta_base(folder, corpus))


def make_roberta_base(folder, corpus):
    import tokenizers
    import torch
    from transformers import RobertaConfig, RobertaForSequenceClassification, RobertaTokenizerFast

    bpe = tokenizers.ByteLevelBPETokenizer()
    texts = (record["description"] for _, record in corpus_records(corpus))
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    bpe.train_from_iterator(texts, vocab_size=50_265, min_frequency=2, special_tokens=special, show_progress=False)
    bpe.save_model(str(folder))
    RobertaTokenizerFast(
        f"{folder}/vocab.json", f"{folder}/merges.txt", model_max_length=512
    ).save_pretrained(folder)  # fmt: skip
    names = {i: f"T{1001 + i}" for i in range(LABELS)}
    config = RobertaConfig(
        vocab_size=50_265, max_position_embeddings=514, type_vocab_size=1, layer_norm_eps=1e-5, id2label=names,
        label2id={name: i for i, name in names.items()}, problem_type="multi_label_classification",
    )  # fmt: skip
    torch.manual_seed(SEED)
    model = RobertaForSequenceClassification(config).eval()
    spread(model)
    model.save_pretrained(folder)


def spread(model):
    """Makes random weights as trained ones are, such that logits differ from text to text by more than rounding."""
    import torch

    for name, weight in model.named_parameters():
        if name.endswith("bias") or "norm" in name.lower():
            weight.data += 0.1 * torch.randn_like(weight)
        elif "embeddings" not in name:
            weight.data *= 1.8


# Other shapes, as published: what differs from the defaults of transformers.
SHAPES = {
    "roberta-base": None,
    "modernbert-base": ("modernbert", {}),
    "deberta-v3-small": ("deberta-v2", {"num_hidden_layers": 6}),
    "deberta-v3-base": ("deberta-v2", {"num_hidden_layers": 12}),
}
DEBERTA_V3 = {
    "hidden_size": 768, "num_attention_heads": 12, "intermediate_size": 3072, "relative_attention": True,
    "position_buckets": 256, "norm_rel_ebd": "layer_norm", "share_att_key": True, "pos_att_type": "p2c|c2p",
    "position_biased_input": False, "max_relative_positions": -1, "pooler_hidden_act": "gelu",
}  # fmt: skip


def shaped(work, corpus, shape):
    """A checkpoint of a shape, with 175 labels and random weights; all have the same kind of tokenizer."""
    if SHAPES[shape] is None:
        return roberta_base(work, corpus)
    return finished(work / shape, lambda folder: make_shaped(folder, corpus, *SHAPES[shape]))


def make_shaped(folder, corpus, kind, settings):
    import tokenizers
    import torch
    from transformers import AutoConfig, AutoModelForSequenceClassification, PreTrainedTokenizerFast

    roles = {"pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]", "unk_token": "[UNK]", "mask_token": "[MASK]"}
    bpe = tokenizers.ByteLevelBPETokenizer()
    texts = (record["description"] for _, record in corpus_records(corpus))
    special = list(roles.values())
    bpe.train_from_iterator(texts, vocab_size=50_000, min_frequency=2, special_tokens=special, show_progress=False)
    around = [(token, special.index(token)) for token in ("[CLS]", "[SEP]")]
    bpe.post_processor = tokenizers.processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=around)
    PreTrainedTokenizerFast(
        tokenizer_object=bpe._tokenizer, model_max_length=512, model_input_names=["input_ids", "attention_mask"], **roles
    ).save_pretrained(folder)
    names = {i: f"T{1001 + i}" for i in range(LABELS)}
    if kind == "deberta-v2":
        settings = DEBERTA_V3 | settings
    ids = {"pad_token_id": 0, "cls_token_id": 1, "sep_token_id": 2, "bos_token_id": 1, "eos_token_id": 2}
    config = AutoConfig.for_model(
        kind, id2label=names, label2id={name: i for i, name in names.items()}, problem_type="multi_label_classification",
        **ids, **settings,
    )  # fmt: skip
    torch.manual_seed(SEED)
    model = AutoModelForSequenceClassification.from_config(config).eval()
    spread(model)
    model.save_pretrained(folder)


def export_onnx(checkpoint, file, fused=False):
    """The checkpoint as ONNX with free batch and length.

    Plain: by PyTorch's exporter. Fused: by its earlier one, whose graph onnxruntime.transformers knows how to fuse
    (attention, GELU, skip connections); of the newer one's graph it fuses no attention (onnxruntime 1.32.0).
    """
    if file.exists():
        return file
    import torch
    from transformers import AutoModelForSequenceClassification

    model = AutoModelForSequenceClassification.from_pretrained(checkpoint, attn_implementation="eager").eval()
    ids = torch.randint(5, 100, (2, 16))
    names, mask = ["input_ids", "attention_mask"], torch.ones_like(ids)
    if not fused:
        batch, length = torch.export.Dim("batch", max=512), torch.export.Dim("length", max=512)
        torch.onnx.export(
            model, (), str(file), kwargs={"input_ids": ids, "attention_mask": mask}, input_names=names,
            output_names=["logits"], dynamic_shapes={name: {0: batch, 1: length} for name in names}, dynamo=True,
            external_data=False,
        )  # fmt: skip
        return file
    from onnxruntime.transformers import optimizer

    model.config.return_dict = False
    raw = file.with_suffix(".raw.onnx")
    torch.onnx.export(
        model, (ids, mask), str(raw), input_names=names, output_names=["logits"], dynamo=False, opset_version=17,
        dynamic_axes={name: {0: "batch", 1: "length"} for name in names},
    )  # fmt: skip
    sizes = (model.config.num_attention_heads, model.config.hidden_size)
    better = optimizer.optimize_model(str(raw), model_type="bert", num_heads=sizes[0], hidden_size=sizes[1])
    assert better.get_fused_operator_statistics()["Attention"] == model.config.num_hidden_layers
    better.save_model_to_file(str(file))
    raw.unlink()
    return file


def quantized_onnx(plain, file, **options):
    """Dynamic int8 by onnxruntime's own tool."""
    if not file.exists():
        from onnx import TensorProto
        from onnxruntime.quantization import QuantType, quantize_dynamic

        logging.getLogger().setLevel(logging.ERROR)  # it recommends another step at every call
        extra = {"DefaultTensorType": TensorProto.FLOAT}  # the fused operators' results, unknown to shape inference
        quantize_dynamic(str(plain), str(file), weight_type=QuantType.QInt8, extra_options=extra, **options)
    return file


def ort_session(file, threads):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])


def padded(batch, pad):
    """Ids and mask of a batch as int64 arrays, padded to its longest."""
    import numpy as np

    width = max(map(len, batch))
    ids = np.full((len(batch), width), pad, dtype=np.int64)
    mask = np.zeros_like(ids)
    for row, tokens in enumerate(batch):
        ids[row, : len(tokens)] = tokens
        mask[row, : len(tokens)] = 1
    return ids, mask


def vulnlens_rows(program, folder, texts, *options):
    """Runs the example `logits` over texts: a list for each."""
    given = "".join(json.dumps(text) + "\n" for text in texts)
    command = [str(program), str(folder), *options]
    answer = subprocess.run(command, input=given, stdout=subprocess.PIPE, text=True, check=True)
    rows = [json.loads(line) for line in answer.stdout.splitlines()]
    assert len(rows) == len(texts), f"{len(rows)} answers to {len(texts)} texts"
    return rows
