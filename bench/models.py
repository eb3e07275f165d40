"""Full-size random checkpoints for the benchmarks, made once and kept in the cache folder, and how much work they are."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "parity"))

BERT_BASE: dict = {}  # transformers' defaults are bert-base-uncased
MINILM = {"hidden_size": 384, "num_hidden_layers": 6, "num_attention_heads": 12, "intermediate_size": 1536}
# What a published config.json leaves out.
DEFAULTS = {
    "vocab_size": 30522,
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
}
MODELS = {"bert-base": ("BertModel", BERT_BASE), "minilm": ("BertModel", MINILM)}


def cache_folder() -> Path:
    """As scripts/lib.sh finds it."""
    if folder := os.environ.get("GAMUT_CACHE_DIR"):
        return Path(folder)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gamut"


def checkpoint(name: str) -> Path:
    """The folder of the checkpoint; made if it is not there yet, with values of the kind that the parity cases have."""
    folder = cache_folder() / "bench" / name
    if folder.is_dir():
        return folder
    import transformers

    import case_file
    from checkpoint import published_config, tensor_list

    head, sizes = MODELS[name]
    head_class = getattr(transformers, head)
    config = head_class.config_class(**sizes)
    tensors = tensor_list(head_class(config), prefix="", old_norms=False, untied_by_file=False)
    case = {"seed": 1, "tensors": tensors}
    unfinished = folder.with_name(f"{name}.unfinished.{os.getpid()}")
    case_file.write_checkpoint(unfinished, published_config(config, head, full=False), case_file.case_weights(case))
    try:
        unfinished.rename(folder)
    except OSError:  # another process was faster
        shutil.rmtree(unfinished)
    return folder


def sizes(folder: Path) -> dict:
    """The model's config, what it leaves to the defaults included."""
    return DEFAULTS | json.loads((folder / "config.json").read_text())


def forward_gflop(folder: Path, lengths: list[int]) -> float:
    """Multiply-adds (each counted as 2) of the matrix products that rows of these lengths need, in 10^9.

    Padding is not needed work, whoever does it. The pooler is left out: it has one token of each row to multiply.
    """
    config = sizes(folder)
    hidden, inner, layers = config["hidden_size"], config["intermediate_size"], config["num_hidden_layers"]
    linear = 2 * (4 * hidden * hidden + 2 * hidden * inner) * sum(lengths)
    attention = 2 * 2 * hidden * sum(length * length for length in lengths)
    return layers * (linear + attention) * 1e-9
