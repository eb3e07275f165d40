"""The rows of BERT-like encoders: how a set of knobs becomes a tiny config. `architectures.py` joins them in.

To add a model type, write a function from `Knobs` to config arguments and a row in `ENCODERS`.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, fields

from checkpoint import old_rope

# Spellings of transformers.activations.ACT2FN that have no parameters.
ACTIVATIONS = (
    "gelu", "gelu_new", "relu", "silu", "gelu_pytorch_tanh", "gelu_fast", "quick_gelu", "tanh", "gelu_python",
    "swish", "mish", "relu2", "hardswish", "leaky_relu", "gelu_python_tanh", "sigmoid", "gelu_accurate", "relu6",
    "gelu_10", "laplace",
)  # fmt: skip


@dataclass(frozen=True)
class Knobs:
    """What distinguishes one case of a head from the next. Sizes are tiny: a case file is a few kilobytes."""

    layers: int
    heads: int
    head_dim: int
    intermediate: int
    vocab: int
    activation: str
    eps: float
    type_vocab: int
    labels: int
    pad_id: int
    lengths: tuple[int, int]
    left_padding: bool
    explicit_positions: bool  # position_ids are an input
    junk_padding: bool  # masked positions hold arbitrary ids, not pad_id
    pad_inside: bool  # a row contains pad_id as an attended token
    tied: bool  # tie_word_embeddings
    untied_by_file: bool  # although `tied`, the file has a decoder weight of its own, which then counts
    old_norm_names: bool  # LayerNorm.gamma and .beta, where the architecture was published so
    prefixed: bool  # the base model's tensors carry the base-model prefix, as in a checkpoint published with a head
    full_config: bool  # config.json also holds the defaults
    embedding: int | None  # electra's embedding_size; None: the hidden size

    @property
    def hidden(self) -> int:
        return self.heads * self.head_dim

    @property
    def max_length(self) -> int:
        return max(self.lengths)


# Values that the committed cases walk through: case n takes entry n (modulo the row's length) of every row.
KNOB_VALUES: dict[str, tuple] = {
    "layers": (2, 1, 2, 1, 3, 2),
    "heads": (2, 1, 3, 4, 2, 1),
    "head_dim": (4, 5, 7, 3, 8, 16),
    "intermediate": (13, 24, 17, 31, 8, 40),
    "vocab": (23, 31, 19, 37, 29, 41),
    "activation": ACTIVATIONS,
    "eps": (1e-12, 1e-5, 1e-2, 1e-3, 1e-7, 1e-6),
    "type_vocab": (2, 1, 2, 2, 1, 2),
    "labels": (3, 2, 1, 5, 2, 4),
    "pad_id": (0, 1, 3, 2, 0, 1),
    "lengths": ((6, 4), (3, 7), (5, 1), (2, 6), (9, 5), (4, 8)),
    "left_padding": (False, True, False, True, False, True),
    "explicit_positions": (False, False, True, False, False, True),
    "junk_padding": (False, False, False, True, False, False),
    "pad_inside": (False, False, False, False, True, False),
    "tied": (True, False, True, False, True, False),
    "untied_by_file": (False, False, False, False, True, False),
    "old_norm_names": (False, False, False, True, False, False),
    "prefixed": (False, True, False, True, True, False),
    "full_config": (False, True, False, False, False, False),
    "embedding": (7, None, 12, 9, None, 10),
}
assert set(KNOB_VALUES) == {field.name for field in fields(Knobs)}


# Rows long enough for every bucket of a relative position bias, for heads whose outputs do not grow with the length.
LONG_LENGTHS = {0: (21, 34), 2: (150, 9)}


def committed_knobs(head: str, index: int, activation: int) -> Knobs:
    """Knobs of committed case `index`; `activation` is a running number, so that the heads go through all of them."""
    values = {name: row[index % len(row)] for name, row in KNOB_VALUES.items()}
    values["activation"] = ACTIVATIONS[activation % len(ACTIVATIONS)]
    if head.endswith("ForSequenceClassification"):
        values["lengths"] = LONG_LENGTHS.get(index, values["lengths"])
    return Knobs(**values)


def random_knobs(rng: random.Random) -> Knobs:
    """Knobs that no committed case has, for comparisons on unseen cases."""
    values = {name: rng.choice(row) for name, row in KNOB_VALUES.items()}
    longer = rng.randint(2, 12)
    lengths = [longer, rng.randint(1, longer - 1)]
    rng.shuffle(lengths)
    values |= {
        "heads": rng.randint(1, 4),
        "head_dim": rng.randint(2, 12),
        "intermediate": rng.randint(6, 48),
        "vocab": rng.randint(14, 48),
        "labels": rng.randint(1, 6),
        "lengths": tuple(lengths),
        "embedding": rng.choice((None, rng.randint(4, 24))),
    }
    return Knobs(**values)


def position_table(knobs: Knobs, first: int) -> int:
    """Rows of a table just long enough (one more for explicit positions); `first`: the first token's position."""
    return first + knobs.max_length + knobs.explicit_positions


def bert_config(knobs: Knobs) -> dict:
    return {
        "vocab_size": knobs.vocab,
        "hidden_size": knobs.hidden,
        "num_hidden_layers": knobs.layers,
        "num_attention_heads": knobs.heads,
        "intermediate_size": knobs.intermediate,
        "hidden_act": knobs.activation,
        "layer_norm_eps": knobs.eps,
        "type_vocab_size": knobs.type_vocab,
        "max_position_embeddings": position_table(knobs, first=0),
        "pad_token_id": knobs.pad_id,
        "tie_word_embeddings": knobs.tied,
    }


def roberta_config(knobs: Knobs) -> dict:
    return bert_config(knobs) | {"max_position_embeddings": position_table(knobs, first=knobs.pad_id + 1)}


def electra_config(knobs: Knobs) -> dict:
    return bert_config(knobs) | {"embedding_size": knobs.embedding or knobs.hidden}


def mpnet_config(knobs: Knobs) -> dict:
    # MPNet counts positions from 2 whatever pad_token_id says: modeling_mpnet.py fixes padding_idx to 1.
    config = bert_config(knobs) | {"max_position_embeddings": position_table(knobs, first=2)}
    del config["type_vocab_size"]
    return config


def distilbert_config(knobs: Knobs) -> dict:
    return {
        "vocab_size": knobs.vocab,
        "dim": knobs.hidden,
        "n_layers": knobs.layers,
        "n_heads": knobs.heads,
        "hidden_dim": knobs.intermediate,
        "activation": knobs.activation,
        "max_position_embeddings": position_table(knobs, first=0),
        "pad_token_id": knobs.pad_id,
        "tie_word_embeddings": knobs.tied,
        "sinusoidal_pos_embds": knobs.prefixed,  # says how the table was initialised; the checkpoint's own table counts
    }


def committed_count(head: str) -> int:
    """Number of committed cases. The last two of six hold the rarer forms of a base model's or a tied head's file."""
    return 6 if head.endswith(("Model", "ForMaskedLM")) else 4


@dataclass(frozen=True)
class Architecture:
    """One row of the table."""

    heads: tuple[str, ...]
    config: Callable[[Knobs], dict]
    insensitive: tuple[str, ...]  # fnmatch patterns of tensors that no output can depend on; sensitivity.py checks each
    token_types: bool = True  # takes token_type_ids
    old_norm_names: bool = False  # published with LayerNorm.gamma and .beta
    position_padding: Callable[[Knobs], int | None] = lambda knobs: None  # the id that positions are not counted over
    stacked: Callable[[Knobs], bool] = lambda knobs: False  # weights of experts in the file are those of the model
    adjacent_positions: bool = False  # a jump in position_ids begins another sequence, as transformers' causal masks do
    old_config: Callable[[dict], dict] = staticmethod(old_rope)  # config.json as written before transformers 5
    attention: str = "eager"  # attn_implementation of the truth
    committed_knobs: Callable = staticmethod(committed_knobs)  # (head, index, running number) -> Knobs
    random_knobs: Callable = staticmethod(random_knobs)  # (random.Random) -> Knobs
    committed_count: Callable = staticmethod(committed_count)  # (head) -> number of committed cases


def heads(prefix: str) -> tuple[str, ...]:
    """The encoder's classes, as transformers names them."""
    tasks = ("MaskedLM", "SequenceClassification", "TokenClassification", "QuestionAnswering")
    return (f"{prefix}Model", *(f"{prefix}For{task}" for task in tasks))


# A key's bias adds the same number to all scores of a query, and softmax does not see a shift: *.key.bias, *.k.bias,
# *.k_lin.bias.
# The head's own `bias` is tied to the decoder's. In an untied checkpoint transformers writes both, and forward reads
# the decoder's only.
ENCODERS: dict[str, Architecture] = {
    "bert": Architecture(heads("Bert"), bert_config, ("*.key.bias", "cls.predictions.bias"), old_norm_names=True),
    "roberta": Architecture(
        heads("Roberta"), roberta_config, ("*.key.bias", "lm_head.bias"), position_padding=lambda knobs: knobs.pad_id
    ),
    "distilbert": Architecture(heads("DistilBert"), distilbert_config, ("*.k_lin.bias",), token_types=False),
    "electra": Architecture(heads("Electra"), electra_config, ("*.key.bias",)),
    "mpnet": Architecture(
        heads("MPNet"), mpnet_config, ("*.k.bias", "lm_head.bias"), token_types=False, position_padding=lambda knobs: 1
    ),
}
