"""The rows of decoder language models: how a set of knobs becomes a tiny config. `architectures.py` joins them in.

To add a model type, write a function from `DecoderKnobs` to config arguments and a row in `DECODERS`.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable
from dataclasses import dataclass

from encoders import ACTIVATIONS, KNOB_VALUES, Architecture, Knobs

# The RoPE types of transformers' modeling_rope_utils.py that a plain config may ask for.
ROPES = ("default", "llama3", "yarn", "longrope", "linear", "dynamic", "proportional")


@dataclass(frozen=True)
class DecoderKnobs(Knobs):
    """What decoders have besides."""

    kv_heads: int  # divides heads
    wide: int  # head_dim is given and heads * head_dim is hidden_size plus so much times heads; 0: left out
    attention_bias: bool
    mlp_bias: bool
    window: int | None
    rope: str  # of ROPES
    old_rope: bool  # config.json has rope_theta and rope_scaling, as before transformers 5
    theta: float
    variant: int  # a number for what a single architecture has alone

    @property
    def hidden(self) -> int:
        return self.heads * (self.head_dim + self.wide)


# Values that the committed cases walk through, as KNOB_VALUES of the encoders.
DECODER_VALUES: dict[str, tuple] = KNOB_VALUES | {
    "heads": (4, 2, 3, 6, 1, 5),
    "kv_heads": (2, 1, 3, 2, 1, 5),
    "head_dim": (4, 6, 8, 2, 10, 4),
    "wide": (0, 1, 0, 3, 0, 2),
    "attention_bias": (False, True, False, False, True, False),
    "mlp_bias": (False, False, True, False, True, False),
    "activation": ("silu", "gelu", "gelu_pytorch_tanh", "relu", "silu", "gelu_new"),
    "eps": (1e-6, 1e-5, 1e-2, 1e-3, 1e-7, 1e-6),
    "lengths": ((6, 4), (3, 9), (5, 1), (2, 7), (11, 5), (4, 8)),
    "window": (3, None, 4, 2, 2, 6),
    "rope": ROPES,
    "old_rope": (True, True, False, True, False, True),
    "theta": (10000.0, 500.0, 1e6, 10000.0, 37.5, 100.0),
    "explicit_positions": (False, False, True, False, False, False),
    "variant": (0, 1, 2, 3, 4, 5),
}
assert set(DECODER_VALUES) == {field.name for field in dataclasses.fields(DecoderKnobs)}


def committed_knobs(head: str, index: int, activation: int) -> DecoderKnobs:
    values = {name: row[index % len(row)] for name, row in DECODER_VALUES.items()}
    return DecoderKnobs(**values)


def random_knobs(rng: random.Random) -> DecoderKnobs:
    values = {name: rng.choice(row) for name, row in DECODER_VALUES.items()}
    longer = rng.randint(2, 14)
    lengths = [longer, rng.randint(1, longer - 1)]
    rng.shuffle(lengths)
    kv_heads = rng.randint(1, 4)
    values |= {
        "kv_heads": kv_heads,
        "heads": kv_heads * rng.randint(1, 3),
        # transformers divides by the numbers that turn less 2 for dynamic RoPE.
        "head_dim": 2 * rng.randint(2 if values["rope"] == "dynamic" else 1, 9),
        "intermediate": rng.randint(6, 48),
        "vocab": rng.randint(14, 48),
        "labels": rng.randint(1, 6),
        "lengths": tuple(lengths),
        "window": rng.choice((None, rng.randint(2, 12))),
        "activation": rng.choice(ACTIVATIONS),
        "theta": round(rng.uniform(3, 20000), 1),
        "variant": rng.randrange(6),
    }
    return DecoderKnobs(**values)


def committed_count(head: str) -> int:
    """Generation is where most can go wrong; the other heads share all but their last layer."""
    if head.endswith(("ForCausalLM", "LMHeadModel")):
        return 6
    return 2 if head.endswith("Model") else 1


def rope_parameters(knobs: DecoderKnobs, width: int | None = None) -> dict:
    """`rope_parameters` of the knobs' type; contexts are short enough for prompts and generation to leave them."""
    pairs = (width or knobs.head_dim) // 2
    values = {"rope_type": knobs.rope, "rope_theta": knobs.theta}
    values |= {
        "default": {},
        "linear": {"factor": 2.5},
        "dynamic": {"factor": 2.0},
        "yarn": {"factor": 4.0, "original_max_position_embeddings": 8},
        "llama3": {
            "factor": 8.0,
            "low_freq_factor": 1.0,
            "high_freq_factor": 4.0,
            "original_max_position_embeddings": 16,
        },
        "longrope": {
            "short_factor": [1.0 + 0.1 * i for i in range(pairs)],
            "long_factor": [1.5 + 0.7 * i for i in range(pairs)],
            "original_max_position_embeddings": 8,
        },
        "proportional": {"factor": 2.0, "partial_rotary_factor": 0.5},
    }[knobs.rope]
    return values


def context(knobs: DecoderKnobs) -> int:
    """max_position_embeddings: rows of dynamic RoPE grow beyond it."""
    return 6 if knobs.rope == "dynamic" else 64


def llama_config(knobs: DecoderKnobs) -> dict:
    config = {
        "vocab_size": knobs.vocab,
        "hidden_size": knobs.hidden,
        "num_hidden_layers": knobs.layers,
        "num_attention_heads": knobs.heads,
        "num_key_value_heads": knobs.kv_heads,
        "intermediate_size": knobs.intermediate,
        "hidden_act": knobs.activation,
        "rms_norm_eps": knobs.eps,
        "max_position_embeddings": context(knobs),
        "rope_parameters": rope_parameters(knobs),
        "attention_bias": knobs.attention_bias,
        "mlp_bias": knobs.mlp_bias,
        "pad_token_id": knobs.pad_id,
        "bos_token_id": None,
        "eos_token_id": None,
        "tie_word_embeddings": knobs.tied,
    }
    return config | ({"head_dim": knobs.head_dim} if knobs.wide else {})


def without(config: dict, *names: str) -> dict:
    return {name: value for name, value in config.items() if name not in names}


def mistral_config(knobs: DecoderKnobs) -> dict:
    config = without(llama_config(knobs), "attention_bias", "mlp_bias")
    return config | {"sliding_window": knobs.window}


def qwen2_config(knobs: DecoderKnobs) -> dict:
    config = without(llama_config(knobs), "attention_bias", "mlp_bias", "head_dim")
    config["hidden_size"] = knobs.heads * knobs.head_dim
    if knobs.window is None:
        return config
    return config | {"use_sliding_window": True, "sliding_window": knobs.window, "max_window_layers": knobs.layers // 2}


def qwen3_config(knobs: DecoderKnobs) -> dict:
    return qwen2_config(knobs) | {
        "hidden_size": knobs.hidden,
        "attention_bias": knobs.attention_bias,
        "head_dim": knobs.head_dim,
    }


def gpt2_config(knobs: DecoderKnobs) -> dict:
    return {
        "vocab_size": knobs.vocab,
        "n_embd": knobs.heads * knobs.head_dim,
        "n_layer": knobs.layers,
        "n_head": knobs.heads,
        "n_inner": None if knobs.variant % 2 else knobs.intermediate,
        "n_positions": knobs.max_length + 8,
        "activation_function": knobs.activation,
        "layer_norm_epsilon": knobs.eps,
        "scale_attn_weights": knobs.variant != 2,
        "scale_attn_by_inverse_layer_idx": knobs.variant >= 3,
        "pad_token_id": knobs.pad_id,
        "bos_token_id": None,
        "eos_token_id": None,
        "tie_word_embeddings": knobs.tied,
    }


def ministral_config(knobs: DecoderKnobs) -> dict:
    config = mistral_config(knobs) | {"head_dim": knobs.head_dim, "sliding_window": knobs.window or 64}
    return config | {"layer_types": mixed_layers(knobs)} if knobs.variant % 2 else config


def mixed_layers(knobs: DecoderKnobs) -> list[str]:
    """layer_types of a model in which every second layer has a window, where there is a window."""
    kinds = ("sliding_attention", "full_attention") if knobs.window else ("full_attention",)
    return [kinds[(i + knobs.variant // 2) % len(kinds)] for i in range(knobs.layers)]


def olmo2_config(knobs: DecoderKnobs) -> dict:
    return without(llama_config(knobs), "mlp_bias", "head_dim") | {"hidden_size": knobs.heads * knobs.head_dim}


def gemma_config(knobs: DecoderKnobs) -> dict:
    return without(llama_config(knobs), "mlp_bias") | {"head_dim": knobs.head_dim}


def gemma2_config(knobs: DecoderKnobs) -> dict:
    config = without(gemma_config(knobs), "hidden_act")
    return config | {
        "hidden_activation": knobs.activation,
        "query_pre_attn_scalar": 3 + knobs.variant,
        "sliding_window": knobs.window or 64,
        "attn_logit_softcapping": (None, 5.0, 1.5)[knobs.variant % 3],
        "final_logit_softcapping": (3.0, None)[knobs.variant % 2],
    }


def gemma3_config(knobs: DecoderKnobs) -> dict:
    scaled = rope_parameters(knobs)
    plain = {"rope_type": "default", "rope_theta": 25.0}
    return gemma2_config(knobs) | {
        "layer_types": mixed_layers(knobs),
        "rope_parameters": {"full_attention": scaled, "sliding_attention": plain},
    }


def phi3_config(knobs: DecoderKnobs) -> dict:
    config = without(llama_config(knobs), "attention_bias", "mlp_bias", "head_dim")
    share = (1.0, 0.5)[knobs.variant % 2] if knobs.head_dim % 4 == 0 else 1.0
    rope = {"rope_type": "default", "rope_theta": knobs.theta}
    if knobs.rope in ("longrope", "yarn", "dynamic"):
        pairs = int(knobs.head_dim * share) // 2
        rope |= {
            "rope_type": "longrope",
            "short_factor": [1.0 + 0.1 * i for i in range(pairs)],
            "long_factor": [1.5 + 0.7 * i for i in range(pairs)],
        }
    return config | {
        "hidden_size": knobs.heads * knobs.head_dim,
        "rope_parameters": rope | {"partial_rotary_factor": share},
        "max_position_embeddings": 64,
        "original_max_position_embeddings": 8,
        "sliding_window": knobs.window,
    }


def cohere2_config(knobs: DecoderKnobs) -> dict:
    config = without(llama_config(knobs), "mlp_bias", "head_dim", "rms_norm_eps")
    return config | {
        "hidden_size": knobs.heads * knobs.head_dim,
        "layer_norm_eps": knobs.eps,
        "logit_scale": 0.5 + knobs.variant,
        "sliding_window": knobs.window or 64,
        "layer_types": mixed_layers(knobs) if knobs.window else ["sliding_attention"] * knobs.layers,
    }


def granite_config(knobs: DecoderKnobs) -> dict:
    return without(olmo2_config(knobs)) | {
        "mlp_bias": knobs.mlp_bias,
        "embedding_multiplier": 1.5,
        "residual_multiplier": 0.6 + knobs.variant,
        "attention_multiplier": 0.25,
        "logits_scaling": 2.0,
    }


def glm4_config(knobs: DecoderKnobs) -> dict:
    config = without(llama_config(knobs), "mlp_bias") | {"head_dim": 2 * knobs.head_dim}
    return config | {"rope_parameters": rope_parameters(knobs) | {"partial_rotary_factor": 0.5}}


def smollm3_config(knobs: DecoderKnobs) -> dict:
    config = without(llama_config(knobs), "head_dim") | {"hidden_size": knobs.heads * knobs.head_dim}
    return config | {
        "no_rope_layers": [(i + knobs.variant) % 2 for i in range(knobs.layers)],
        "use_sliding_window": knobs.window is not None,
        "sliding_window": knobs.window,
    }


def heads(prefix: str, tasks: str = "CausalLM SequenceClassification TokenClassification QuestionAnswering") -> tuple:
    """The classes of a decoder, the base model first."""
    return (f"{prefix}Model", *(f"{prefix}For{task}" for task in tasks.split()))


@dataclass(frozen=True)
class DecoderArchitecture(Architecture):
    """A row; `insensitive` may be a function of the knobs' config where that decides which tensors have no effect."""

    token_types: bool = False
    adjacent_positions: bool = True
    committed_knobs: Callable = staticmethod(committed_knobs)
    random_knobs: Callable = staticmethod(random_knobs)
    committed_count: Callable = staticmethod(committed_count)


def with_longer_rows(knobs: DecoderKnobs) -> DecoderKnobs:
    """For tables of positions: generation needs NEW_TOKENS more entries than the rows show, which must be less than half.
    """
    return dataclasses.replace(knobs, lengths=tuple(length + 8 for length in knobs.lengths))


@dataclass(frozen=True)
class LearnedPositions(DecoderArchitecture):
    """A row whose positions are a table."""

    committed_knobs: Callable = staticmethod(lambda *arguments: with_longer_rows(committed_knobs(*arguments)))
    random_knobs: Callable = staticmethod(lambda rng: with_longer_rows(random_knobs(rng)))


NO_QUESTIONS = "CausalLM SequenceClassification TokenClassification"
GEMMA3_HEADS = ("Gemma3TextModel", "Gemma3ForCausalLM", "Gemma3TextForSequenceClassification")
GPT2_HEADS = (
    "GPT2Model",
    "GPT2LMHeadModel",
    "GPT2ForSequenceClassification",
    "GPT2ForTokenClassification",
    "GPT2ForQuestionAnswering",
)

DECODERS: dict[str, Architecture] = {
    "llama": DecoderArchitecture(
        heads("Llama"),
        llama_config,
        (),
        committed_count=lambda head: len(ROPES) if head.endswith("ForCausalLM") else committed_count(head),
    ),
    "mistral": DecoderArchitecture(heads("Mistral"), mistral_config, ()),
    "qwen2": DecoderArchitecture(heads("Qwen2"), qwen2_config, ()),
    "qwen3": DecoderArchitecture(heads("Qwen3"), qwen3_config, ()),
    "ministral": DecoderArchitecture(heads("Ministral"), ministral_config, ()),
    "olmo2": DecoderArchitecture(heads("Olmo2", "CausalLM SequenceClassification"), olmo2_config, ()),
    "gemma": DecoderArchitecture(heads("Gemma", NO_QUESTIONS), gemma_config, ()),
    "gemma2": DecoderArchitecture(heads("Gemma2", NO_QUESTIONS), gemma2_config, ()),
    "gemma3_text": DecoderArchitecture(GEMMA3_HEADS, gemma3_config, ()),
    "phi3": DecoderArchitecture(heads("Phi3", NO_QUESTIONS), phi3_config, ()),
    "cohere2": DecoderArchitecture(heads("Cohere2", "CausalLM"), cohere2_config, ("*.k_proj.bias",)),
    "granite": DecoderArchitecture(heads("Granite", "CausalLM"), granite_config, ()),
    "glm4": DecoderArchitecture(heads("Glm4", NO_QUESTIONS), glm4_config, ("*.k_proj.bias",)),
    "smollm3": DecoderArchitecture(heads("SmolLM3"), smollm3_config, ("*.k_proj.bias",)),
    "gpt2": LearnedPositions(GPT2_HEADS, gpt2_config, ()),
}
