"""The two generations of checkpoints of mixtures of experts: tensors of each expert, or all stacked into one.

transformers' models hold stacked ones and take either form; `conversion_mapping.py` says what is what.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch

OLD_NAME = re.compile(r"(.*)\.(mlp|block_sparse_moe|feed_forward)\.experts\.(\d+)\.(\w+)\.weight")
# How the matrices of one expert are called, and where they lie in the stacked tensors.
PLACES = {
    "gate_proj": ("gate_up_proj", 0),
    "w1": ("gate_up_proj", 0),
    "up_proj": ("gate_up_proj", 1),
    "w3": ("gate_up_proj", 1),
    "down_proj": ("down_proj", None),
    "w2": ("down_proj", None),
}


def is_old(name: str) -> bool:
    return OLD_NAME.fullmatch(name) is not None


def stacked_view(tensors: Mapping[str, torch.Tensor], name: str, prefix: str) -> torch.Tensor | None:
    """The part of a model's stacked tensor that an old file calls `name`; changes of it change the model. None: `name`
    is no such name. `prefix`, of the base model, may be missing in either."""
    match = OLD_NAME.fullmatch(name)
    if match is None:
        return None
    block, mixture, expert, matrix = match.groups()
    kind, half = PLACES[matrix]
    mixture = mixture.replace("block_sparse_moe", "mlp")
    stacked = f"{block}.{mixture}.experts.{kind}"
    for candidate in (stacked, stacked.removeprefix(prefix), prefix + stacked):
        if candidate in tensors:
            own = tensors[candidate].data[int(expert)]
            return own if half is None else own.chunk(2)[half]
    return None


def fan_in(name: str, dims: list[int]) -> int | None:
    """How many numbers an output of a stacked weight is summed over; None: `name` is no such weight."""
    if len(dims) != 3 or not name.endswith(("experts.gate_up_proj", "experts.down_proj")):
        return None
    return min(dims[1:])  # within a factor of the right one, whichever axis that is
