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
# The shapes of Qwen2.5-0.5B, Llama-3.2-1B and mamba-130m.
QWEN_05B = {
    "vocab_size": 151936,
    "hidden_size": 896,
    "num_hidden_layers": 24,
    "num_attention_heads": 14,
    "num_key_value_heads": 2,
    "intermediate_size": 4864,
    "max_position_embeddings": 32768,
    "rms_norm_eps": 1e-6,
    "tie_word_embeddings": True,
}
LLAMA_1B = {
    "vocab_size": 128256,
    "hidden_size": 2048,
    "num_hidden_layers": 16,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "head_dim": 64,
    "intermediate_size": 8192,
    "max_position_embeddings": 131072,
    "tie_word_embeddings": True,
}
MODELS = {
    "bert-base": ("BertModel", BERT_BASE),
    "minilm": ("BertModel", MINILM),
    "bert-base-bf16": ("BertModel", BERT_BASE),
    "qwen2.5-0.5b": ("Qwen2ForCausalLM", QWEN_05B),
    "llama-3.2-1b": ("LlamaForCausalLM", LLAMA_1B),
    "mamba-130m": ("MambaForCausalLM", {"num_hidden_layers": 24}),
}
# Those whose files hold bf16; the others hold f32.
IN_BF16 = ("bert-base-bf16", "qwen2.5-0.5b", "llama-3.2-1b")


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
    written = published_config(config, head, full=False)
    if name in IN_BF16:
        written["dtype"] = "bfloat16"
        write_bf16(unfinished, written, case)
    else:
        case_file.write_checkpoint(unfinished, written, case_file.case_weights(case))
    try:
        unfinished.rename(folder)
    except OSError:  # another process was faster
        shutil.rmtree(unfinished)
    return folder


def write_bf16(folder: Path, config: dict, case: dict) -> None:
    """As case_file.write_checkpoint, every tensor rounded to bf16."""
    import torch
    from safetensors.torch import save_file

    from seeded_weights import seeded_tensor

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    weights = {
        name: torch.from_numpy(seeded_tensor(name, dims, scale, offset, case["seed"])).to(torch.bfloat16)
        for name, dims, scale, offset in case["tensors"]
    }
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


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
