"""The table of architectures: for each model type its heads and how a set of knobs becomes a tiny config."""

from __future__ import annotations

from decoders import DECODERS
from encoders import ENCODERS, Architecture, Knobs
from expert_decoders import EXPERT_DECODERS
from gpt_decoders import GPT_DECODERS
from linear_decoders import LINEAR_DECODERS
from recurrent_decoders import RECURRENT_DECODERS

__all__ = ["ARCHITECTURES", "Architecture", "Knobs"]

ARCHITECTURES: dict[str, Architecture] = (
    ENCODERS | DECODERS | GPT_DECODERS | EXPERT_DECODERS | LINEAR_DECODERS | RECURRENT_DECODERS
)
