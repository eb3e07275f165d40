"""The rows of decoders that descend from GPT-2, and of ministral3: how a set of knobs becomes a tiny config."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from decoders import (
    NO_QUESTIONS,
    DecoderArchitecture,
    DecoderKnobs,
    LearnedPositions,
    committed_knobs,
    context,
    heads,
    mistral_config,
    random_knobs,
    rope_parameters,
)
from checkpoint import old_rope
from encoders import Architecture


def plain_width(knobs: DecoderKnobs) -> int:
    """hidden_size where it is heads times head_dim."""
    return knobs.heads * knobs.head_dim


def common(knobs: DecoderKnobs) -> dict:
    return {
        "vocab_size": knobs.vocab,
        "pad_token_id": knobs.pad_id,
        "bos_token_id": None,
        "eos_token_id": None,
        "tie_word_embeddings": knobs.tied,
    }


def rotary_share(knobs: DecoderKnobs) -> float:
    """The share of a head that turns: an even number of at least 4 (dynamic RoPE needs more than 2), else all of it.
    Under 1, heads turn in part."""
    if knobs.rope == "proportional":
        return 1.0
    shares = [share for share in (0.25, 0.4, 0.5, 0.75) if int(knobs.head_dim * share) in (4, 6, 8, 10, 12)]
    return shares[knobs.variant % len(shares)] if shares else 1.0


def rotated_config(knobs: DecoderKnobs) -> dict:
    """What decoders with layer norms and rotations of a share of each head have in common."""
    share = rotary_share(knobs)
    rope = rope_parameters(knobs, int(knobs.head_dim * share))
    return common(knobs) | {
        "hidden_size": plain_width(knobs),
        "num_hidden_layers": knobs.layers,
        "num_attention_heads": knobs.heads,
        "intermediate_size": knobs.intermediate,
        "hidden_act": knobs.activation,
        "layer_norm_eps": knobs.eps,
        "max_position_embeddings": context(knobs),
        "rope_parameters": rope | {"partial_rotary_factor": share},
    }


def old_share(theta_field: str, share_field: str) -> Callable[[dict], dict]:
    """As `old_rope`, with theta and the share that turns in fields of these names."""

    def old_config(config: dict) -> dict:
        values = old_rope(config)
        rope = config.get("rope_parameters")
        if rope is None or values is config:
            return config
        if values["rope_scaling"] is not None:
            values["rope_scaling"].pop("partial_rotary_factor", None)
        values |= {theta_field: rope["rope_theta"], share_field: rope["partial_rotary_factor"]}
        return values if theta_field == "rope_theta" else {k: v for k, v in values.items() if k != "rope_theta"}

    return old_config


def gpt_neox_config(knobs: DecoderKnobs) -> dict:
    return rotated_config(knobs) | {
        "attention_bias": not knobs.attention_bias,
        "use_parallel_residual": knobs.variant % 3 != 1,
    }


def phi_config(knobs: DecoderKnobs) -> dict:
    return rotated_config(knobs) | {"num_key_value_heads": knobs.kv_heads, "qk_layernorm": knobs.attention_bias}


def opt_config(knobs: DecoderKnobs) -> dict:
    width = plain_width(knobs)
    return common(knobs) | {
        "hidden_size": width,
        "num_hidden_layers": knobs.layers,
        "num_attention_heads": knobs.heads,
        "ffn_dim": knobs.intermediate,
        "max_position_embeddings": knobs.max_length + 8,
        "activation_function": knobs.activation,
        "do_layer_norm_before": knobs.variant % 3 != 1,
        "_remove_final_layer_norm": knobs.variant == 5,
        "word_embed_proj_dim": (None, width - 1, width + 3)[knobs.variant % 3],
        "enable_bias": knobs.mlp_bias or knobs.variant < 2,
        "layer_norm_elementwise_affine": knobs.variant != 3,
    }


def gpt_bigcode_config(knobs: DecoderKnobs) -> dict:
    return common(knobs) | {
        "n_embd": plain_width(knobs),
        "n_layer": knobs.layers,
        "n_head": knobs.heads,
        "n_inner": None if knobs.variant % 2 else knobs.intermediate,
        "n_positions": knobs.max_length + 8,
        "activation_function": knobs.activation,
        "layer_norm_epsilon": knobs.eps,
        "scale_attn_weights": knobs.variant != 2,
        "multi_query": knobs.variant % 3 != 1,
    }


def bloom_config(knobs: DecoderKnobs) -> dict:
    return common(knobs) | {
        "hidden_size": plain_width(knobs),
        "n_layer": knobs.layers,
        "n_head": knobs.heads,
        "layer_norm_epsilon": knobs.eps,
        "apply_residual_connection_post_layernorm": knobs.variant == 4,
    }


def mpt_config(knobs: DecoderKnobs) -> dict:
    return common(knobs) | {
        "d_model": plain_width(knobs),
        "n_layers": knobs.layers,
        "n_heads": knobs.heads,
        "layer_norm_epsilon": knobs.eps,
        "attn_config": {
            "clip_qkv": (None, 1.5, 0.7)[knobs.variant % 3],
            "softmax_scale": (None, 0.3)[knobs.variant % 2],
        },
    }


def falcon_config(knobs: DecoderKnobs) -> dict:
    """Variants 0 and 3 are new, the others old; 2 and 5 have ALiBi."""
    is_new = knobs.variant % 3 == 0
    config = {
        "hidden_size": plain_width(knobs),
        "num_hidden_layers": knobs.layers,
        "num_attention_heads": knobs.heads,
        "layer_norm_epsilon": knobs.eps,
        "activation": knobs.activation,
        "max_position_embeddings": context(knobs),
        "rope_parameters": rope_parameters(knobs),
        "new_decoder_architecture": is_new,
        "num_kv_heads": knobs.kv_heads if is_new else None,
        "num_ln_in_parallel_attn": 1 if knobs.variant == 3 else None,
        "multi_query": knobs.variant not in (1, 5),
        "parallel_attn": knobs.variant not in (1, 2),
        "alibi": knobs.variant % 3 == 2,
        "bias": knobs.attention_bias,
        "ffn_hidden_size": None if knobs.variant % 2 else knobs.intermediate,
    }
    return common(knobs) | {name: value for name, value in config.items() if value is not None}


def ministral3_config(knobs: DecoderKnobs) -> dict:
    config = mistral_config(knobs) | {"head_dim": knobs.head_dim}
    scaling = {"llama_4_scaling_beta": 0.1 + knobs.variant, "original_max_position_embeddings": 3}
    return config | {"rope_parameters": rope_parameters(knobs) | scaling}


def mistral3_config(knobs: DecoderKnobs) -> dict:
    """A language model of either type below the smallest vision tower."""
    text = ministral3_config(knobs) if knobs.variant % 2 else mistral_config(knobs)
    vision = {
        "model_type": "pixtral",
        "hidden_size": 8,
        "intermediate_size": 8,
        "num_hidden_layers": 1,
        "num_attention_heads": 1,
        "head_dim": 8,
        "image_size": 8,
        "patch_size": 4,
    }
    return {
        "text_config": text | {"model_type": "ministral3" if knobs.variant % 2 else "mistral"},
        "vision_config": vision,
        "tie_word_embeddings": knobs.tied,
    }


GPT_DECODERS: dict[str, Architecture] = {
    "gpt_neox": DecoderArchitecture(
        heads("GPTNeoX"),
        gpt_neox_config,
        (),
        old_config=old_share("rotary_emb_base", "rotary_pct"),
    ),
    "opt": LearnedPositions(
        heads("OPT", "CausalLM SequenceClassification QuestionAnswering"), opt_config, ("*.k_proj.bias",)
    ),
    "phi": DecoderArchitecture(
        heads("Phi", NO_QUESTIONS),
        phi_config,
        ("*.k_proj.bias", "*.k_layernorm.bias"),
        old_config=old_share("rope_theta", "partial_rotary_factor"),
    ),
    # With ALiBi, transformers' eager attention adds the biases twice; what from_pretrained gives by default does not.
    "falcon": DecoderArchitecture(heads("Falcon"), falcon_config, (), attention="sdpa"),
    "bloom": DecoderArchitecture(heads("Bloom"), bloom_config, ()),
    "ministral3": DecoderArchitecture(
        heads("Ministral3"), ministral3_config, (), old_config=lambda config: config
    ),
    "mpt": DecoderArchitecture(heads("Mpt"), mpt_config, ()),
    # Text alone: no picture, so that nothing depends on what pictures go through.
    "mistral3": DecoderArchitecture(
        ("Mistral3Model", "Mistral3ForConditionalGeneration"),
        mistral3_config,
        ("vision_tower.*", "multi_modal_projector.*"),
        old_config=lambda config: config,
        committed_knobs=lambda *arguments: dataclasses.replace(committed_knobs(*arguments), prefixed=False),
        random_knobs=lambda rng: dataclasses.replace(random_knobs(rng), prefixed=False),
        committed_count=lambda head: 2 if head.endswith("Model") else 6,
    ),
    "gpt_bigcode": LearnedPositions(heads("GPTBigCode", NO_QUESTIONS), gpt_bigcode_config, ()),
}
