"""A tiny case for a model type that `architectures.py` does not list yet, for the first look of tools/new_model.py.

The sizes in transformers' default config are shrunk by the names of its fields. That suits most text and image models;
where it does not, the type needs its row in the table anyway.
"""

from __future__ import annotations

import random
import re

import numpy as np
import transformers
from transformers.models.auto import modeling_auto

import case_file
import sensitivity
import truth
from checkpoint import published_config, tensor_list

# Field name pattern -> tiny value; the first that matches counts.
TINY = (
    (r"num_key_value_heads|num_kv_heads", 2),
    (r".*heads|n_head", 4),
    (r"head_dim", 8),
    (r"num_.*layers|n_layers?|.*_layers", 2),
    (r"(num_)?(local_)?experts|n_routed_experts|num_local_experts", 4),
    (r".*intermediate_size|ffn_dim|.*ffn_dim|hidden_dim|d_ff|n_inner|ffn_hidden_size", 48),
    (r"hidden_size|d_model|dim|n_embd|embed_dim|.*_hidden_size|embedding_size|word_embed_proj_dim", 32),
    (r"vocab_size", 64),
    (r"max_position_embeddings|n_positions|n_ctx", 40),
    (r"image_size", 32),
    (r"patch_size", 8),
)
LENGTHS = (7, 5)  # unlike any size above


def head_classes(model_type: str) -> list[str]:
    """The classes that transformers' auto mappings know for the type, base model first."""
    found = []
    for mapping_name in sorted(dir(modeling_auto), key=lambda name: (name != "MODEL_MAPPING_NAMES", name)):
        if re.fullmatch(r"MODEL_(FOR_\w+_)?MAPPING_NAMES", mapping_name):
            names = getattr(modeling_auto, mapping_name).get(model_type, ())
            found += [names] if isinstance(names, str) else list(names)
    return list(dict.fromkeys(found))


def tiny_config(model_type: str) -> transformers.PreTrainedConfig:
    """transformers' default config of the type with its sizes made tiny."""
    defaults = transformers.AutoConfig.for_model(model_type)
    return type(defaults)(**tiny_values(defaults.to_dict()))


def tiny_values(values: dict) -> dict:
    changed = {}
    for key, value in values.items():
        if isinstance(value, dict) and key.endswith("_config"):
            changed[key] = value | tiny_values(value)
        elif type(value) is int:
            tiny = next((tiny for pattern, tiny in TINY if re.fullmatch(pattern, key)), None)
            if tiny is not None and value > tiny:
                changed[key] = tiny
            elif key.endswith("token_id") and value >= 64:
                changed[key] = 1 + value % 62
    return changed


def make_rows(model: transformers.PreTrainedModel, rng: random.Random) -> list[dict[str, np.ndarray]]:
    """Inputs of two rows: ids of different length, or two pictures."""
    config = model.config
    if model.main_input_name == "input_ids":
        vocab = config.get_text_config().vocab_size
        return [{"input_ids": np.array([rng.randrange(2, vocab) for _ in range(length)])} for length in LENGTHS]
    if model.main_input_name == "pixel_values":
        size, channels = config.image_size, getattr(config, "num_channels", 3)
        shape = (channels, size, size) if isinstance(size, int) else (channels, *size)
        noise = np.random.default_rng(rng.randrange(1 << 32))
        return [{"pixel_values": noise.standard_normal(shape, dtype=np.float32)} for _ in range(2)]
    raise NotImplementedError(f"rows of {model.main_input_name}: write a row in tests/parity/architectures.py")


def batch(rows: list[np.ndarray]) -> np.ndarray:
    return truth.pad_rows(rows, left=False, length=max(len(row) for row in rows))


def make_case(model_type: str, head: str, seed: int = 1) -> dict:
    """A case of the head. Tensors without visible effect are listed, not refused: the reader is to find out why."""
    config = tiny_config(model_type)
    model = getattr(transformers, head)(config)
    case = {"model_type": model_type, "head": head, "transformers": transformers.__version__, "seed": seed}
    case["config"] = published_config(config, head, full=False)
    case["tensors"] = tensor_list(model, prefix="", old_norms=False, untied_by_file=False)
    model = truth.load_model(head, case["config"], case_file.case_weights(case))
    rows = make_rows(model, random.Random(f"{head}/{seed}"))
    outputs = [truth.run_row(model, row) for row in rows]
    effects = sensitivity.tensor_effects(model, case["tensors"], rows, outputs)
    case["insensitive"] = [name for name, parts in effects.items() if max(parts.values()) < 1]
    inputs = {name: batch([row[name] for row in rows]) for name in rows[0]}
    if "input_ids" in inputs:
        inputs["attention_mask"] = batch([np.ones_like(row["input_ids"]) for row in rows])
    lengths = tuple(len(row[model.main_input_name]) for row in rows)
    case["inputs"] = {name: case_file.encode(value) for name, value in inputs.items()}
    case["outputs"] = {
        name: case_file.encode(value) for name, value in truth.batch_outputs(outputs, lengths, left=False).items()
    }
    return case
