"""The rows of decoders whose blocks keep a recurrent state. `architectures.py` joins them in."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

from decoders import DecoderArchitecture, DecoderKnobs, committed_knobs, heads, llama_config, random_knobs, without
from encoders import Architecture
from expert_decoders import ExpertArchitecture


def without_positions(knobs: DecoderKnobs) -> DecoderKnobs:
    """Recurrences count no positions and their classes take none."""
    return dataclasses.replace(knobs, explicit_positions=False)


@dataclass(frozen=True)
class RecurrentArchitecture(DecoderArchitecture):
    """A row without positions."""

    committed_knobs: Callable = staticmethod(lambda *arguments: without_positions(committed_knobs(*arguments)))
    random_knobs: Callable = staticmethod(lambda rng: without_positions(random_knobs(rng)))


def mamba_config(knobs: DecoderKnobs) -> dict:
    return {
        "vocab_size": knobs.vocab,
        "hidden_size": knobs.hidden,
        "num_hidden_layers": knobs.layers,
        "state_size": (4, 3, 1, 6, 5, 2)[knobs.variant],
        "conv_kernel": (4, 2, 3, 1, 5, 4)[knobs.variant],
        "expand": (2, 1, 3, 2, 1, 2)[knobs.variant],
        "time_step_rank": ("auto", 2, 3, 1, "auto", 4)[knobs.variant],
        "use_bias": knobs.mlp_bias,
        "use_conv_bias": not knobs.attention_bias,
        "hidden_act": knobs.activation,
        "layer_norm_epsilon": knobs.eps,
        "pad_token_id": knobs.pad_id,
        "bos_token_id": None,
        "eos_token_id": None,
        "tie_word_embeddings": knobs.tied,
    }


def falcon_mamba_config(knobs: DecoderKnobs) -> dict:
    return mamba_config(knobs) | {"mixer_rms_eps": 10 * knobs.eps}


def mamba2_config(knobs: DecoderKnobs) -> dict:
    config = mamba_config(knobs)
    config |= {
        "expand": 2,
        "n_groups": 2 if knobs.heads % 2 == 0 else 1,
        "num_heads": knobs.heads,
        "head_dim": 2 * knobs.hidden // knobs.heads,
        "chunk_size": (3, 256, 4, 2, 5, 16)[knobs.variant],
    }
    if knobs.variant % 2:
        config["time_step_limit"] = (0.1 * knobs.variant, (0.9, float("inf"), 0.6)[knobs.variant // 2])
    return config


def jamba_config(knobs: DecoderKnobs) -> dict:
    mamba = mamba_config(knobs)
    config = without(llama_config(knobs), "attention_bias", "mlp_bias", "head_dim", "rope_parameters")
    return config | {
        "hidden_size": knobs.heads * knobs.head_dim,
        "num_hidden_layers": 2,
        "num_experts": (3, 2, 1)[knobs.variant % 3],
        "num_experts_per_tok": (2, 1, 1)[knobs.variant % 3],
        "expert_layer_period": 1 + knobs.variant % 2,
        "expert_layer_offset": knobs.variant % 2,
        "attn_layer_period": 2 + knobs.variant // 3,
        "attn_layer_offset": (1, 0)[knobs.variant % 2],
        "mamba_d_state": mamba["state_size"],
        "mamba_d_conv": mamba["conv_kernel"],
        "mamba_expand": mamba["expand"],
        "mamba_dt_rank": mamba["time_step_rank"],
        "mamba_conv_bias": mamba["use_conv_bias"],
        "mamba_proj_bias": mamba["use_bias"],
    }


@dataclass(frozen=True)
class HybridArchitecture(ExpertArchitecture):
    """A row without positions that has experts."""

    committed_knobs: object = staticmethod(lambda *arguments: without_positions(committed_knobs(*arguments)))
    random_knobs: object = staticmethod(lambda rng: without_positions(random_knobs(rng)))


RECURRENT_DECODERS: dict[str, Architecture] = {
    "mamba": RecurrentArchitecture(heads("Mamba", "CausalLM"), mamba_config, ()),
    "falcon_mamba": RecurrentArchitecture(heads("FalconMamba", "CausalLM"), falcon_mamba_config, ()),
    "mamba2": RecurrentArchitecture(heads("Mamba2", "CausalLM"), mamba2_config, ()),
    "jamba": HybridArchitecture(heads("Jamba", "CausalLM SequenceClassification"), jamba_config, ()),
}
