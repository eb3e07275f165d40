"""Refuses a parity case that would not notice a wrong tensor.

A case proves something about a tensor only if changing the tensor changes an output by more than the comparison
tolerates. Tensors that mathematically cannot matter are named by pattern in the architecture's row, checked here to
be without effect, and listed in the case.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

import numpy as np
import torch

from seeded_weights import seeded_uniform
from truth import parameter, run_row

TOLERANCE = 1e-4  # of the comparison: max |a-b| <= TOLERANCE * max(1, max |b|)
MARGIN = 10  # a visible change is at least this many times the tolerance
PERTURBATION = 0.5  # of the tensor's scale


class InsensitiveCase(ValueError):
    """The case does not notice a change of some tensor, or notices one it must not."""


def effect(model: torch.nn.Module, rows: list[dict], truth: list[dict]) -> float:
    """The largest change of an output, in units of the tolerance. Stops at the first row with a visible change."""
    largest = 0.0
    for row, expected in zip(rows, truth):
        for name, value in run_row(model, row).items():
            unit = TOLERANCE * max(1.0, float(np.abs(expected[name]).max()))
            largest = max(largest, float(np.abs(value - expected[name]).max()) / unit)
        if largest > MARGIN:
            break
    return largest


def parts(size: int) -> dict[str, slice]:
    """All rows of the first axis, and each half: half a table that is never read is as bad as a whole one."""
    whole = {"all": slice(0, size)}
    return whole if size == 1 else whole | {"first half": slice(0, size // 2), "second half": slice(size // 2, size)}


def tensor_effects(model: torch.nn.Module, tensors: list[list], rows: list[dict], truth: list[dict]) -> dict[str, dict]:
    """{tensor: {part: effect}} of perturbing each part of each tensor; longer rows first, as they see more."""
    order = sorted(range(len(rows)), key=lambda index: -max(value.size for value in rows[index].values()))
    rows, truth = [rows[index] for index in order], [truth[index] for index in order]
    effects = {}
    for name, dims, scale, _ in tensors:
        tensor = parameter(model, name)
        original = tensor.clone()
        noise = torch.from_numpy(seeded_uniform(name + "#noise", original.numel(), 0).reshape(dims)).float()
        effects[name] = {}
        for part, where in parts(dims[0] if dims else 1).items():
            view = tensor[where] if dims else tensor
            view += PERTURBATION * scale * (noise[where] if dims else noise)
            effects[name][part] = effect(model, rows, truth)
            tensor.copy_(original)
    return effects


def check(
    model: torch.nn.Module, case: dict, rows: list[dict], truth: list[dict], patterns: tuple[str, ...]
) -> list[str]:
    """Raises InsensitiveCase, or returns the names of the tensors that have, as `patterns` say, no effect."""
    insensitive = []
    for name, effects in tensor_effects(model, case["tensors"], rows, truth).items():
        may_hide = any(fnmatchcase(name, pattern) for pattern in patterns)
        if may_hide and max(effects.values()) < 1:
            insensitive.append(name)
        elif (max if may_hide else min)(effects.values()) < MARGIN:  # parts of those may hide: heads turn in part
            raise InsensitiveCase(
                f"{case['head']}: {name} changes the outputs by {effects} tolerances, less than {MARGIN}"
            )
    return insensitive
