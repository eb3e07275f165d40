"""The table of architectures: for each model type its heads and how a set of knobs becomes a tiny config."""

from __future__ import annotations

from decoders import DECODERS
from encoders import ENCODERS, Architecture, Knobs
from gpt_decoders import GPT_DECODERS

__all__ = ["ARCHITECTURES", "Architecture", "Knobs"]

ARCHITECTURES: dict[str, Architecture] = ENCODERS | DECODERS | GPT_DECODERS
