"""The rows of decoders with linear recurrences and short convolutions. `architectures.py` joins them in."""

from __future__ import annotations

from decoders import (
    DecoderArchitecture,
    DecoderKnobs,
    committed_knobs,
    heads,
    llama_config,
    random_knobs,
    rope_parameters,
    without,
)
from encoders import Architecture
from expert_decoders import ExpertArchitecture


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


def qwen3_next_config(knobs: DecoderKnobs) -> dict:
    config = without(llama_config(knobs), "mlp_bias")
    key_heads = (2, 1, 3)[knobs.variant % 3]
    layers = max(2, knobs.layers)  # a kind of each; each router may stand on an edge
    kinds = ("linear_attention", "full_attention")
    explicit = {"layer_types": [kinds[(i + knobs.variant) % 2] for i in range(layers)]}
    return config | {
        "head_dim": 4 * knobs.head_dim,
        "num_hidden_layers": layers,
        "rope_parameters": rope_parameters(knobs, knobs.head_dim) | {"partial_rotary_factor": 0.25},
        "linear_num_key_heads": key_heads,
        "linear_num_value_heads": key_heads * (1, 2, 3)[knobs.variant // 2],
        "linear_key_head_dim": knobs.head_dim + 1,
        "linear_value_head_dim": knobs.head_dim + 3,
        "linear_conv_kernel_dim": (4, 2, 3)[knobs.variant % 3],
        "num_experts": 3,
        "num_experts_per_tok": 2,
        "moe_intermediate_size": knobs.intermediate // 2 + 1,
        "shared_expert_intermediate_size": knobs.intermediate // 2 + 2,
        "norm_topk_prob": knobs.variant % 3 != 1,
        "decoder_sparse_step": 2 if knobs.variant == 4 else 1,
        "mlp_only_layers": ([1], [], [1], [0], [], [0])[knobs.variant],
    } | (explicit if knobs.variant % 3 else {"full_attention_interval": 2})


LINEAR_DECODERS: dict[str, Architecture] = {
    "lfm2": DecoderArchitecture(heads("Lfm2", "CausalLM"), lfm2_config, ()),
    "qwen3_next": ExpertArchitecture(
        heads("Qwen3Next"), qwen3_next_config, (), committed_knobs=committed_knobs, random_knobs=random_knobs
    ),
    "recurrent_gemma": DecoderArchitecture(
        heads("RecurrentGemma", "CausalLM"), recurrent_gemma_config, ("*.k_proj.bias",)
    ),
    "rwkv": DecoderArchitecture(heads("Rwkv", "CausalLM"), rwkv_config, ()),
}
