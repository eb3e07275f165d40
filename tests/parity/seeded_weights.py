"""Deterministic weights from a tensor's name and a seed, so that a committed parity case needs no weight file.

`src/checkpoint/seeded_weights.h` is the same generator in C++; both must give the same bits. Everything is integer
arithmetic modulo 2^64 up to one exact conversion to double, therefore the result does not depend on library, compiler
or machine.
"""

from __future__ import annotations

import math

import numpy as np

MASK_64 = (1 << 64) - 1
GOLDEN_GAMMA = 0x9E3779B97F4A7C15  # splitmix64's increment
FNV_BASIS = 14695981039346656037
FNV_PRIME = 1099511628211


def fnv1a64(text: str) -> int:
    """64-bit FNV-1a hash of the text's UTF-8 bytes.

    >>> hex(fnv1a64("")), hex(fnv1a64("a"))
    ('0xcbf29ce484222325', '0xaf63dc4c8601ec8c')
    """
    value = FNV_BASIS
    for byte in text.encode("utf-8"):
        value = ((value ^ byte) * FNV_PRIME) & MASK_64
    return value


def seeded_uniform(name: str, count: int, seed: int) -> np.ndarray:
    """`count` doubles in [-1, 1), multiples of 2^-23."""
    base = fnv1a64(name) ^ ((seed * GOLDEN_GAMMA) & MASK_64)
    with np.errstate(over="ignore"):
        z = np.uint64(base) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(GOLDEN_GAMMA)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(40)).astype(np.float64) * 2.0**-23 - 1.0


def seeded_tensor(name: str, dims: list[int], scale: float, offset: float, seed: int) -> np.ndarray:
    """float32 array of shape `dims`: offset + scale * uniform, computed in double and rounded once.

    >>> values = seeded_tensor("bert.embeddings.word_embeddings.weight", [4], 0.5, 1.0, seed=7)
    >>> [hex(bits) for bits in values.view(np.uint32).tolist()]
    ['0x3f4e8fe2', '0x3f020577', '0x3f78bfa4', '0x3f714b44']
    """
    values = offset + scale * seeded_uniform(name, math.prod(dims), seed)
    return values.astype(np.float32).reshape(dims)
