"""The parity case file: one small JSON document that holds all that a comparison needs.

    {"model_type", "head", "transformers",   what was run, and the version that ran it
     "seed", "tensors": [[name, dims, scale, offset], ...],   the checkpoint (see seeded_weights.py)
     "bf16_errors": {output: x},             how far PyTorch in bf16 is from f32 (see truth.py)
     "bf16_rms": {output: x},                the root mean square of PyTorch's error in bf16 (see truth.py)
     "insensitive": [name, ...],             tensors that cannot change any output (see sensitivity.py); optional
     "config": {...},                        config.json, as a published checkpoint would have it
     "inputs":  {name: {"dtype": "I64", "shape", "data": flat list}},
     "outputs": {name: {"dtype": "F32", "shape", "data": base64 of little-endian float32}},
     "generation": [{"tokens": [...], "logits": as an output}, ...]}   of language models: what each row goes on with

An output whose shape starts with the attention_mask's [B, S] has a value per token; at masked positions it holds
zeros, which are not compared. The maker sees to it that no other output has such a shape.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path

import numpy as np

from seeded_weights import seeded_tensor


def encode(array: np.ndarray) -> dict:
    """An input or output entry: integers and bools as a plain list, floats as base64 of little-endian float32."""
    shape = list(array.shape)
    if array.dtype.kind in "iub":
        return {"dtype": "I64", "shape": shape, "data": array.astype(np.int64).reshape(-1).tolist()}
    return {"dtype": "F32", "shape": shape, "data": base64.b64encode(array.astype("<f4").tobytes()).decode("ascii")}


def decode(entry: dict) -> np.ndarray:
    """The array of an input or output entry."""
    if entry["dtype"] == "I64":
        return np.array(entry["data"], dtype=np.int64).reshape(entry["shape"])
    return np.frombuffer(base64.b64decode(entry["data"]), dtype="<f4").reshape(entry["shape"])


def case_weights(case: dict) -> dict[str, np.ndarray]:
    """Every tensor of the case's checkpoint, by its name in the file."""
    return {
        name: seeded_tensor(name, dims, scale, offset, case["seed"]) for name, dims, scale, offset in case["tensors"]
    }


def to_text(case: dict) -> str:
    """JSON with one tensor, input or output a line: diffs stay readable and files small."""
    lines = []
    for key, value in case.items():
        if key == "tensors":
            body = ",\n".join("  " + json.dumps(entry) for entry in value)
            lines.append(f' "{key}": [\n{body}\n ]')
        elif key in ("inputs", "outputs"):
            body = ",\n".join(f'  "{name}": {json.dumps(entry)}' for name, entry in value.items())
            lines.append(f' "{key}": {{\n{body}\n }}')
        elif key == "generation":
            body = ",\n".join(f"  {json.dumps(entry)}" for entry in value)
            lines.append(f' "{key}": [\n{body}\n ]')
        else:
            lines.append(f' "{key}": {json.dumps(value, ensure_ascii=False)}')
    return "{\n" + ",\n".join(lines) + "\n}\n"


def read(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


def write(case: dict, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(to_text(case), encoding="utf-8")


def write_checkpoint(folder: Path, config: dict, weights: dict[str, np.ndarray]) -> None:
    """A checkpoint folder as published: config.json and model.safetensors."""
    from safetensors.numpy import save_file

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def export(case: dict, folder: Path) -> None:
    """The case as a checkpoint folder for `gamut forward`, with inputs.safetensors and expected.safetensors in it."""
    from safetensors.numpy import save_file

    write_checkpoint(folder, case["config"], case_weights(case))
    for file_name, key in (("inputs", "inputs"), ("expected", "outputs")):
        save_file({name: decode(entry) for name, entry in case[key].items()}, folder / f"{file_name}.safetensors")
