"""Diverse beam search in the plainest form, which transformers no longer has: groups of beams, one after the other."""

from __future__ import annotations

from collections.abc import Callable

import torch


def search(model: torch.nn.Module, prompt: list[int], settings: dict, processors: Callable) -> tuple[list, list]:
    """The best num_return_sequences of all groups, new tokens and scores, with early_stopping False."""
    groups, penalty = settings["num_beam_groups"], settings["diversity_penalty"]
    size = settings["num_beams"] // groups
    ends = set(settings.get("eos_token_id", []))
    greatest = len(prompt) + settings["max_new_tokens"]
    power = settings["length_penalty"]
    plain = {k: v for k, v in settings.items() if k not in ("sequence_bias", "num_beam_groups", "diversity_penalty")}
    change = processors(plain, len(prompt), greatest)
    bias = processors({"sequence_bias": settings["sequence_bias"]}, len(prompt), greatest) if "sequence_bias" in settings else None
    running = [[(0.0, list(prompt))] for _ in range(groups)]
    finished: list[list[tuple[float, list[int]]]] = [[] for _ in range(groups)]
    open_groups = set(range(groups))
    while open_groups:
        chosen: list[int] = []
        for group in sorted(open_groups):
            found = []
            for score, tokens in running[group]:
                ids = torch.tensor([tokens])
                with torch.no_grad():
                    line = model(input_ids=ids, use_cache=False).logits[:, -1].float().log_softmax(-1)
                if bias is not None:
                    line = bias(ids, line)
                for id in chosen:
                    line[0, id] -= penalty
                line = change(ids, line)[0]
                found += [(score + x, tokens + [id]) for id, x in enumerate(line.tolist())]
            found.sort(key=lambda one: -one[0])
            found = found[: max(2, 1 + len(ends)) * size]
            made = len(found[0][1]) - len(prompt)
            is_end = [one[1][-1] in ends or len(one[1]) >= greatest for one in found]
            finished[group] += [(s / made**power, t) for (s, t), end in list(zip(found, is_end))[:size] if end]
            finished[group] = sorted(finished[group], key=lambda one: -one[0])[:size]
            running[group] = [one for one, end in zip(found, is_end) if not end][:size]
            chosen += [one[1][-1] for one in found if one[1][-1] not in ends][:size]
            full = len(finished[group]) == size
            if not running[group] or (full and running[group][0][0] / made**power <= finished[group][-1][0]):
                open_groups.discard(group)
    best = sorted((one for group in finished for one in group), key=lambda one: -one[0])[: settings["num_return_sequences"]]
    return [tokens[len(prompt):] for _, tokens in best], [score for score, _ in best]
