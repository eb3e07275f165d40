#!/usr/bin/env python3
"""Prints kKnown of src/runtime/self_check.cpp: the self-test's block in PyTorch, in double precision.

    $(scripts/python_env.sh) tools/self_check_values.py
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "parity"))
from seeded_weights import seeded_tensor  # noqa: E402

WORDS, POSITIONS, WIDTH, HEAD, INNER = 50, 16, 64, 16, 160
ROWS = ([3, 14, 15, 9, 26, 5, 35], [8, 9, 7, 49])


def weight(name: str, dims: list[int], scale: float = 0.25, offset: float = 0.0) -> torch.Tensor:
    return torch.from_numpy(seeded_tensor(name, dims, scale, offset, 1)).double()


def linear(name: str, x: torch.Tensor, out: int) -> torch.Tensor:
    return torch.nn.functional.linear(x, weight(f"{name}.weight", [out, x.shape[-1]]), weight(f"{name}.bias", [out]))


def norm(name: str, x: torch.Tensor) -> torch.Tensor:
    scale, shift = weight(f"{name}.weight", [WIDTH], offset=1.0), weight(f"{name}.bias", [WIDTH])
    return torch.nn.functional.layer_norm(x, [WIDTH], scale, shift, 1e-12)


def heads(name: str, x: torch.Tensor) -> torch.Tensor:
    return linear(name, x, WIDTH).unflatten(-1, (-1, HEAD)).transpose(0, 1)


def sentence(ids: list[int]) -> torch.Tensor:
    x = weight("words.weight", [WORDS, WIDTH], 1.0)[ids] + weight("positions.weight", [POSITIONS, WIDTH], 1.0)[: len(ids)]
    seen = torch.nn.functional.scaled_dot_product_attention(*(heads(name, x) for name in ("query", "key", "value")))
    x = norm("attention_norm", x + linear("output", seen.transpose(0, 1).flatten(1), WIDTH))
    x = norm("output_norm", x + linear("down", torch.nn.functional.gelu(linear("up", x, INNER)), WIDTH))
    return x.mean(0)


if __name__ == "__main__":
    for row in ROWS:
        print("    {" + ", ".join(f"{value:.9g}" for value in sentence(row)[:8].tolist()) + "},")
