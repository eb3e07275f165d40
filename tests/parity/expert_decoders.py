"""The rows of decoders whose feed-forwards are mixtures of experts. `architectures.py` joins them in."""

from __future__ import annotations

import dataclasses

from decoders import (
    NO_QUESTIONS,
    DecoderArchitecture,
    DecoderKnobs,
    committed_knobs,
    heads,
    llama_config,
    mistral_config,
    mixed_layers,
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


def gpt_oss_config(knobs: DecoderKnobs) -> dict:
    config = without(llama_config(knobs), "mlp_bias") | experts(knobs) | {"head_dim": knobs.head_dim}
    if knobs.rope == "yarn":
        config["rope_parameters"] |= {"truncate": False, "beta_fast": 32.0, "beta_slow": 1.0}
    if knobs.window and knobs.variant % 2:
        config["layer_types"] = mixed_layers(knobs)
    return config | {
        "sliding_window": knobs.window or 64,
        "attention_bias": knobs.variant != 4,
        "swiglu_limit": (7.0, 0.8)[knobs.variant % 2],
        "swiglu_alpha": (1.702, 1.3)[knobs.variant % 2],
    }


def deepseek_v3_config(knobs: DecoderKnobs) -> dict:
    config = without(llama_config(knobs), "mlp_bias", "head_dim", "num_key_value_heads")
    if knobs.rope == "yarn":
        config["rope_parameters"] |= {"mscale": 0.8, "mscale_all_dim": (1.0, 0.7)[knobs.variant % 2]}
    groups = (2, 1, 2, 3)[knobs.variant % 4]
    return config | {
        "num_key_value_heads": knobs.heads,
        "moe_intermediate_size": knobs.intermediate // 2 + 1,
        "n_routed_experts": groups * (2 + knobs.variant // 2 % 2),
        "n_shared_experts": 1 + knobs.variant % 2,
        "n_group": groups,
        "topk_group": max(1, groups - 1),
        "num_experts_per_tok": 2,
        "norm_topk_prob": knobs.variant % 3 != 1,
        "routed_scaling_factor": 1.0 + knobs.variant / 4,
        "first_k_dense_replace": min(knobs.layers - 1, knobs.variant % 2),
        "q_lora_rank": (None, 6, 9)[knobs.variant % 3],
        "kv_lora_rank": 5 + knobs.variant,
        "qk_nope_head_dim": 3 + knobs.variant,
        "qk_rope_head_dim": knobs.head_dim,
        "v_head_dim": 2 + knobs.variant % 4,
        "rope_interleave": knobs.variant != 3,
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
    "gpt_oss": ExpertArchitecture(heads("GptOss", NO_QUESTIONS), gpt_oss_config, ()),
    # A correction acts on the choice alone, and not every change of it changes a choice.
    "deepseek_v3": ExpertArchitecture(
        heads("DeepseekV3", NO_QUESTIONS), deepseek_v3_config, ("*.e_score_correction_bias",)
    ),
}
