"""Runs transformers: each row alone and unpadded, f32, eager attention; and lays the rows out as a padded batch."""

from __future__ import annotations

import copy
import inspect
import tempfile
from pathlib import Path

import numpy as np
import torch
import transformers

from case_file import encode, write_checkpoint
from checkpoint import name_in_model
from expert_tensors import stacked_view

BF16_DRAWS = 32
FIRM_DRAWS = 4
FIRM_NOISE = 0.004
NEW_TOKENS = 8
NEAR = 1e-3  # ten times what results may differ


def load_model(head: str, config: dict, weights: dict[str, np.ndarray], attention: str = "eager") -> torch.nn.Module:
    """The model as from_pretrained makes it from a folder. Each tensor must be used, none may be missing."""
    with tempfile.TemporaryDirectory() as folder:
        write_checkpoint(Path(folder), config, weights)
        model, info = getattr(transformers, head).from_pretrained(
            folder,
            attn_implementation=attention,
            experts_implementation="eager",
            dtype=torch.float32,
            output_loading_info=True,
        )
    problems = {key: value for key, value in info.items() if value}
    if problems:
        raise ValueError(f"{head}: the checkpoint does not fit the model: {problems}")
    for name, value in weights.items():
        if not np.array_equal(parameter(model, name).numpy(), value):
            raise ValueError(f"{head}: {name} was changed while loading")
    return model.eval()


def parameter(model: torch.nn.Module, name: str) -> torch.Tensor:
    """The model's tensor for a name in the file: the base-model prefix is optional, norms and experts may have their old
    names."""
    tensors = dict(model.named_parameters(remove_duplicate=False)) | dict(model.named_buffers(remove_duplicate=False))
    prefix = model.base_model_prefix + "."
    view = stacked_view(tensors, name, prefix)
    if view is not None:
        return view
    name = name.replace("block_sparse_moe.gate.", "mlp.gate.")
    name = name_in_model(name)
    for candidate in (name, name.removeprefix(prefix), prefix + name):
        if candidate in tensors:
            return tensors[candidate].data
    raise KeyError(f"{type(model).__name__} has no tensor for {name}")


def reset_rope(model: torch.nn.Module) -> None:
    """Dynamic RoPE remembers the longest row that it has seen; each row is to be the first."""
    for module in model.modules():
        for name, original in list(module.named_buffers(recurse=False)):
            if name.endswith("original_inv_freq"):
                setattr(module, name.replace("original_", ""), original.clone())
        if hasattr(module, "original_max_seq_len"):
            module.max_seq_len_cached = module.original_max_seq_len
            for name in [name for name in vars(module) if name.endswith("_max_seq_len_cached")]:
                delattr(module, name)


def run_row(model: torch.nn.Module, row: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """All tensors among the outputs of one unpadded row (arrays without batch axis, in and out)."""
    reset_rope(model)
    with torch.no_grad():
        outputs = model(**{name: torch.from_numpy(value)[None] for name, value in row.items()}, **no_cache(model))
    return {name: value[0].float().numpy() for name, value in outputs.items() if isinstance(value, torch.Tensor)}


def no_cache(model: torch.nn.Module) -> dict:
    """Decoders would return their cache among the outputs."""
    return {"use_cache": False} if getattr(model.config.get_text_config(), "use_cache", False) else {}


class NearTie(ValueError):
    """Two tokens are nearly as likely: rounding would decide which is generated. Or two experts have nearly one score."""


def choices(model: torch.nn.Module, rows: list[dict[str, np.ndarray]]) -> list[torch.Tensor]:
    """The experts that the routers of a model choose for each token, by router and row."""
    found: list[torch.Tensor] = []
    routers = [module for module in model.modules() if type(module).__name__.lower().endswith("topkrouter")]
    hooks = [module.register_forward_hook(lambda _, __, out: found.append(out[2].sort(-1)[0])) for module in routers]
    for row in rows if routers else ():
        run_row(model, row)
    for hook in hooks:
        hook.remove()
    return found


def require_firm_choices(model: torch.nn.Module, rows: list[dict[str, np.ndarray]]) -> None:
    """Which experts work for a token is a step of the scores. Raises NearTie for a case that stands on an edge, where
    the rounding of bf16 would decide; here weights that differ by three times as much as those of bf16 do."""
    expected = choices(model, rows)
    random = torch.Generator().manual_seed(0)
    for _ in range(FIRM_DRAWS if expected else 0):
        other = copy.deepcopy(model)
        for weight in other.parameters():
            weight.data *= 1 + FIRM_NOISE * torch.randn(weight.shape, generator=random)
        if not all(torch.equal(a, b) for a, b in zip(expected, choices(other, rows))):
            raise NearTie("experts")


def takes(model: torch.nn.Module, name: str) -> bool:
    """Whether the model's forward knows the argument; some heads take any, and use only those of their names."""
    return name in inspect.signature(model.forward).parameters


def generates(model: torch.nn.Module) -> bool:
    name = type(model).__name__
    has_decoder_alone = name.endswith("ForConditionalGeneration") and not model.config.is_encoder_decoder
    return name.endswith(("ForCausalLM", "LMHeadModel")) or has_decoder_alone


def generate(model: torch.nn.Module, ids: np.ndarray) -> dict:
    """Greedy tokens and their logits, each by a forward over all tokens so far, without a cache."""
    tokens, logits = ids.tolist(), []
    for _ in range(NEW_TOKENS):
        line = run_row(model, {"input_ids": np.array(tokens)})["logits"][-1]
        second, first = np.sort(line)[-2:]
        if first - second < NEAR * max(1.0, float(np.abs(line).max())):
            raise NearTie(f"logits {first} and {second}")
        logits.append(line)
        tokens.append(int(line.argmax()))
    return {"tokens": tokens[len(ids) :], "logits": encode(np.array(logits))}


def bf16_errors(model: torch.nn.Module, rows: list[dict]) -> dict[str, float]:
    """How far PyTorch in bf16 is from f32, by output: the largest difference over all rows of this model and of others
    whose weights differ from its own by about a hundredth. A case has few outputs; one draw of their rounding is luck.
    """
    random = torch.Generator().manual_seed(0)
    errors: dict[str, float] = {}
    for draw in range(BF16_DRAWS):
        exact = copy.deepcopy(model)
        if draw > 0:
            for parameter in exact.parameters():
                parameter.data *= 1 + 0.01 * torch.randn(parameter.shape, generator=random)
        short = copy.deepcopy(exact).to(torch.bfloat16)
        for row in rows:
            expected, found = run_row(exact, row), run_row(short, row)
            for name, value in expected.items():
                errors[name] = max(errors.get(name, 0.0), float(np.abs(found[name] - value).max()))
    return {name: float(f"{error:.3g}") for name, error in errors.items()}


def bf16_rms(model: torch.nn.Module, rows: list[dict]) -> dict[str, float]:
    """The root mean square of PyTorch's error in bf16, by output over all numbers of all rows of this model."""
    short = copy.deepcopy(model).to(torch.bfloat16)
    differences: dict[str, list[np.ndarray]] = {}
    for row in rows:
        expected, found = run_row(model, row), run_row(short, row)
        for name, value in expected.items():
            differences.setdefault(name, []).append((found[name] - value).astype(np.float64).reshape(-1))
    return {name: float(f"{np.sqrt(np.mean(np.concatenate(all) ** 2)):.3g}") for name, all in differences.items()}


def pad_rows(rows: list[np.ndarray], left: bool, length: int, fill: np.ndarray | int = 0) -> np.ndarray:
    """Stacks `[S_i, ...]` rows into `[B, length, ...]`; `fill` (a number or `[B, length]`) stands where no row is."""
    batch = np.zeros((len(rows), length, *rows[0].shape[1:]), rows[0].dtype)
    if not isinstance(fill, int) or fill:
        batch[...] = fill
    for target, row in zip(batch, rows):
        start = length - len(row) if left else 0
        target[start : start + len(row)] = row
    return batch


class AmbiguousShape(ValueError):
    """An output without token axis has the extents of one: a reader could not tell which of its values are masked."""


def batch_outputs(outputs: list[dict[str, np.ndarray]], lengths: tuple[int, ...], left: bool) -> dict[str, np.ndarray]:
    """The outputs as one batch. Lengths differ: an axis that follows them in every row is the token axis.

    A reader of the case knows the masked positions by this rule: an output has a token axis when it starts with [B, S].
    """
    batch = {}
    for name in outputs[0]:
        rows = [output[name] for output in outputs]
        has_tokens = all(row.ndim and row.shape[0] == length for row, length in zip(rows, lengths))
        batch[name] = pad_rows(rows, left, max(lengths)) if has_tokens else np.stack(rows)
        if not has_tokens and batch[name].shape[1:2] == (max(lengths),):
            raise AmbiguousShape(f"{name} {list(batch[name].shape)} looks like one value per token")
    return batch
