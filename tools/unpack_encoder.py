"""Unpacks an encoder that `vulnlens model pack` put into one file, with its weights in full precision: to train it further.

    python3 tools/unpack_encoder.py accurate.safetensors FOLDER
    vulnlens train encoder --data corpus.parquet --from FOLDER --year …

Bytes of eight-bit weights are multiplied by the scales of their rows. The description of the model stays behind: training
writes another one.
"""

import array
import json
import pathlib
import struct
import sys


def tensors(data):
    """The tensors of a safetensors file by name: type, shape and bytes."""
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    begin = 8 + length
    return {
        name: (entry["dtype"], entry["shape"], data[begin + entry["data_offsets"][0] : begin + entry["data_offsets"][1]])
        for name, entry in header.items()
    }


def multiplied(codes, scales, width):
    numbers, codes = array.array("f"), array.array("b", codes)
    for row, scale in enumerate(array.array("f", scales)):
        numbers.extend(code * scale for code in codes[row * width : (row + 1) * width])
    return numbers.tobytes()


def written(weights):
    """The bytes of a safetensors file of float32 tensors."""
    header, offset = {"__metadata__": {"format": "pt"}}, 0
    for name, (shape, data) in sorted(weights.items()):
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [offset, offset + len(data)]}
        offset += len(data)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + b"".join(data for _, (_, data) in sorted(weights.items()))


def main(source, folder):
    found = tensors(pathlib.Path(source).read_bytes())
    folder = pathlib.Path(folder)
    folder.mkdir()
    weights = {}
    for name, (dtype, shape, data) in found.items():
        if name.startswith("file:"):
            (folder / pathlib.PurePath(name.removeprefix("file:")).name).write_bytes(data)
        elif dtype == "I8":
            weights[name] = (shape, multiplied(data, found[f"{name}_scale"][2], shape[1]))
        elif not name.endswith("_scale"):
            weights[name] = (shape, data)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config.pop("quantization_config", None)
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    (folder / "model.safetensors").write_bytes(written(weights))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
