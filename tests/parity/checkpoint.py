"""What a published checkpoint of a model contains: its config.json, and its tensors with a range of values for each."""

from __future__ import annotations

import json
import math
import tempfile
from pathlib import Path

import torch
import transformers
from safetensors import safe_open

from expert_tensors import fan_in as stacked_fan_in

# Written by save_pretrained, without influence on the outputs.
BOOKKEEPING = ("transformers_version", "dtype", "_name_or_path", "architectures", "model_type")

WEIGHT_GAIN = 1.4  # standard deviation of a linear layer's output for inputs of unit variance
BIAS_SCALE = 0.4
NORM_SCALE = 0.5  # norm weights lie in 1 +- 0.5
EMBEDDING_SCALE = 1.0


def published_config(config: transformers.PreTrainedConfig, head: str, full: bool) -> dict:
    """config.json: the type, the class it was saved from, and what differs from the defaults of the model type.

    Older published checkpoints leave the defaults out; `full` writes them too (also the nulls), as transformers 5 does.
    """
    defaults = {} if full else type(config)().to_dict()
    written = config.to_diff_dict() if full else config.to_dict()
    values = {
        key: value
        for key, value in sorted(written.items())
        if key not in BOOKKEEPING and (key not in defaults or defaults[key] != value)
    }
    values = {"architectures": [head], "model_type": config.model_type} | values
    # As it will be read back: id2label's keys are strings, and infinity is an object.
    return json.loads(json.dumps(config._encode_special_floats(values), allow_nan=False))


def old_rope(config: dict) -> dict:
    """The config as written before transformers 5: rope_theta and rope_scaling, which is null for plain RoPE."""
    scaling = dict(config.get("rope_parameters") or {})
    if not scaling or any(isinstance(value, dict) for value in scaling.values()):
        return config
    values = {name: value for name, value in config.items() if name != "rope_parameters"}
    if "rope_theta" in scaling:
        values["rope_theta"] = scaling.pop("rope_theta")
    values["rope_scaling"] = None if scaling.get("rope_type", "default") == "default" else scaling
    return values


# Names in files, and what transformers' modules call the same.
NAMES_IN_FILES = (
    ("LayerNorm.gamma", "LayerNorm.weight"),
    ("LayerNorm.beta", "LayerNorm.bias"),
    ("embed_out.", "lm_head."),
    ("language_model.model.", "language_model."),
    ("language_model.lm_head.", "lm_head."),
)


def name_in_model(name: str) -> str:
    for in_file, in_model in NAMES_IN_FILES:
        name = name.replace(in_file, in_model)
    return name


def module(model: torch.nn.Module, name: str) -> torch.nn.Module | None:
    """The model's module of that name in a file, which may leave out the base-model prefix; None for names that only
    files have."""
    for candidate in (name, f"{model.base_model_prefix}.{name}"):
        try:
            return model.get_submodule(candidate)
        except AttributeError:
            pass
    return None


def value_range(model: torch.nn.Module, name: str, dims: list[int]) -> tuple[float, float]:
    """(scale, offset) that let the tensor matter: activations stay moderate, no bias is zero, no norm the identity."""
    owner, _, kind = name_in_model(name).rpartition(".")
    if len(dims) == 1:
        return (NORM_SCALE, 1.0) if kind == "weight" else (BIAS_SCALE, 0.0)
    if kind.endswith("_bias"):
        return BIAS_SCALE, 0.0
    if isinstance(module(model, owner), torch.nn.Embedding):
        return EMBEDDING_SCALE, 0.0
    fan_in = stacked_fan_in(name, dims) or math.prod(dims[1:])
    return round(WEIGHT_GAIN * math.sqrt(3 / fan_in), 4), 0.0  # uniform in [-s, s) has variance s^2 / 3


def saved_shapes(model: transformers.PreTrainedModel, stacked: bool) -> dict[str, list[int]]:
    """Names and dimensions as save_pretrained writes them: of tied tensors only one. `stacked`: as the model has them,
    also where published checkpoints have other names."""
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder, save_original_format=not stacked)
        with safe_open(Path(folder) / "model.safetensors", "pt") as file:
            return {name: list(file.get_slice(name).get_shape()) for name in file.keys()}


def without_tied_biases(model: transformers.PreTrainedModel, names: list[str]) -> list[str]:
    """`names` less the tied biases: old files have a decoder weight, but its bias only under the head's name."""
    tied = [name for name in (model._tied_weights_keys or {}) if name.endswith(".bias")]
    return [name for name in names if name not in tied]


def old_norm_name(name: str) -> str:
    """The spelling of the first BERT checkpoints, converted from TensorFlow."""
    return name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")


def tensor_list(
    model: transformers.PreTrainedModel, prefix: str, old_norms: bool, untied_by_file: bool, stacked: bool = False
) -> list[list]:
    """[[name, dims, scale, offset], ...] of a published checkpoint of the model; `prefix` stands before every name.

    `untied_by_file`: the model is built untied, its config.json says tied. `stacked`: see saved_shapes.
    """
    shapes = saved_shapes(model, stacked)
    names = sorted(shapes)
    if untied_by_file:
        names = without_tied_biases(model, names)
    return [
        [prefix + (old_norm_name(name) if old_norms else name), shapes[name], *value_range(model, name, shapes[name])]
        for name in names
    ]
