"""The rows of decoders with linear recurrences and short convolutions. `architectures.py` joins them in."""

from __future__ import annotations

from decoders import DecoderArchitecture, DecoderKnobs, heads, llama_config, without
from encoders import Architecture


def rwkv_config(knobs: DecoderKnobs) -> dict:
    return {
        "vocab_size": knobs.vocab,
        "hidden_size": knobs.hidden,
        "num_hidden_layers": knobs.layers + 1 + knobs.variant % 3,  # transformers divides by their number less one
        "attention_hidden_size": knobs.hidden + 3 if knobs.variant % 2 else None,
        "intermediate_size": None if knobs.variant == 2 else knobs.intermediate,
        "layer_norm_epsilon": knobs.eps,
        "rescale_every": (1, 2, 6, 0, 1, 3)[knobs.variant],
        "context_length": 64,
        "pad_token_id": knobs.pad_id,
        "bos_token_id": None,
        "eos_token_id": None,
        "tie_word_embeddings": knobs.tied,
    }


def lfm2_config(knobs: DecoderKnobs) -> dict:
    config = without(llama_config(knobs), "attention_bias", "mlp_bias", "head_dim", "hidden_act", "rms_norm_eps")
    layers = knobs.layers + 1
    attends = [i for i in range(layers) if (i + knobs.variant) % 2]
    kinds = ["full_attention" if i in attends else "conv" for i in range(layers)]
    return config | {
        "hidden_size": knobs.heads * knobs.head_dim,
        "num_hidden_layers": layers,
        "norm_eps": knobs.eps,
        "conv_bias": knobs.mlp_bias,
        "conv_L_cache": (3, 2, 4, 1, 5, 3)[knobs.variant],
        "block_auto_adjust_ff_dim": knobs.variant % 2 == 0,
        "block_multiple_of": 5,
        "block_ffn_dim_multiplier": 1.3,
    } | ({"layer_types": kinds} if knobs.variant % 3 else {"full_attn_idxs": attends})


def recurrent_gemma_config(knobs: DecoderKnobs) -> dict:
    config = without(llama_config(knobs), "mlp_bias", "head_dim", "hidden_act", "max_position_embeddings")
    rope = {"rope_type": "default", "rope_theta": knobs.theta}
    if knobs.variant == 2:
        rope["partial_rotary_factor"] = 1.0
    head_dim = 2 * knobs.head_dim  # half of it turns
    patterns = (["recurrent", "recurrent", "attention"], ["recurrent", "attention"], ["attention", "recurrent"])
    return config | {
        "hidden_size": knobs.heads * head_dim,
        "num_hidden_layers": knobs.layers + 1,
        "hidden_activation": knobs.activation,
        "lru_width": knobs.heads * (head_dim + 1) if knobs.variant % 2 else None,
        "attention_window_size": knobs.window or 64,
        "conv1d_width": (4, 2, 3)[knobs.variant % 3],
        "logits_soft_cap": (30.0, 6.0)[knobs.variant % 2],
        "block_types": patterns[knobs.variant % 3],
        "rope_parameters": rope,
    }


LINEAR_DECODERS: dict[str, Architecture] = {
    "lfm2": DecoderArchitecture(heads("Lfm2", "CausalLM"), lfm2_config, ()),
    "recurrent_gemma": DecoderArchitecture(
        heads("RecurrentGemma", "CausalLM"), recurrent_gemma_config, ("*.k_proj.bias",)
    ),
    "rwkv": DecoderArchitecture(heads("Rwkv", "CausalLM"), rwkv_config, ()),
}
