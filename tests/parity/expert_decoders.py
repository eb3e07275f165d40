"""The rows of decoders whose feed-forwards are mixtures of experts. `architectures.py` joins them in."""

from __future__ import annotations

import dataclasses

from decoders import (
    DecoderArchitecture,
    DecoderKnobs,
    committed_knobs,
    heads,
    llama_config,
    mistral_config,
    qwen3_config,
    random_knobs,
    without,
)
from encoders import Architecture


def experts(knobs: DecoderKnobs) -> dict:
    """Few experts, so that the tokens of a case ask all of them; the share of one that is chosen alone is always 1."""
    return {"num_local_experts": 3 + knobs.variant % 3, "num_experts_per_tok": 2 + knobs.variant // 2 % 2}


def is_stacked(knobs: DecoderKnobs) -> bool:
    """Every second case has the tensors of today's models, the others those of the published checkpoints."""
    return knobs.variant % 2 == 1


def mixtral_config(knobs: DecoderKnobs) -> dict:
    config = mistral_config(knobs) | experts(knobs)
    # Without head_dim MixtralConfig knows no RoPE types but the first.
    return config if knobs.rope == "default" else config | {"head_dim": knobs.head_dim}


def qwen3_moe_config(knobs: DecoderKnobs) -> dict:
    config = without(qwen3_config(knobs), "max_window_layers") | experts(knobs)
    return config | {
        "moe_intermediate_size": knobs.intermediate // 2 + 1,
        "num_experts_per_tok": 1 + knobs.variant // 2 if knobs.variant % 3 == 1 else 2,
        "norm_topk_prob": knobs.variant % 3 != 1,
        "decoder_sparse_step": 2 if knobs.variant == 4 else 1,
        "mlp_only_layers": [1] if knobs.variant in (0, 2) else [],
    }


def with_longer_rows(knobs: DecoderKnobs) -> DecoderKnobs:
    """More tokens ask more experts."""
    return dataclasses.replace(knobs, lengths=tuple(length + 5 for length in knobs.lengths))


@dataclasses.dataclass(frozen=True)
class ExpertArchitecture(DecoderArchitecture):
    """A row of a mixture of experts."""

    stacked: object = staticmethod(is_stacked)
    committed_knobs: object = staticmethod(lambda *arguments: with_longer_rows(committed_knobs(*arguments)))
    random_knobs: object = staticmethod(lambda rng: with_longer_rows(random_knobs(rng)))


EXPERT_DECODERS: dict[str, Architecture] = {
    "mixtral": ExpertArchitecture(heads("Mixtral"), mixtral_config, ()),
    "qwen3_moe": ExpertArchitecture(heads("Qwen3Moe"), qwen3_moe_config, ()),
}
