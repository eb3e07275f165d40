#!/usr/bin/env python3
"""Makes the cases of generation: what transformers makes of fixed logits, and what it generates with tiny models.

    cases.py make                   writes tests/generate/lines.json and tests/generate/texts.json
    cases.py check TEST --seed N    makes cases nobody has seen and runs the program TEST (test_generation) on them

The Python of `scripts/python_env.sh` runs it. Models are those of the parity cases, texts are generated without a cache.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent / "parity"))
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import case_file
import diverse
import torch
import transformers
import truth
from transformers import GenerationConfig
from transformers.generation.utils import GenerationMixin

MODELS = ("llama/LlamaForCausalLM_0", "gpt2/GPT2LMHeadModel_0", "qwen3/Qwen3ForCausalLM_0", "mamba/MambaForCausalLM_0")
EDGE = 2e-5  # results this near to a step of a filter depend on rounding


class Bare(GenerationMixin):
    """As much of a model as the list of processors asks for."""

    class Settings:
        is_encoder_decoder = False

    config = Settings()


def processors(settings: dict, prompt: int, length: int) -> object:
    defaults = GenerationConfig._get_default_generation_params()
    config = GenerationConfig(**defaults | settings)
    config.max_length = length
    eos = settings.get("eos_token_id")
    config._eos_token_tensor = None if eos is None else torch.tensor(eos)
    return GenerationMixin._get_logits_processor(
        Bare(), config, input_ids_seq_length=prompt, encoder_input_ids=torch.zeros(1, prompt, dtype=torch.long), device="cpu"
    )


def filters(rng: random.Random) -> dict[str, object]:
    return {
        "temperature": round(rng.uniform(0.3, 2), 2),
        "top_k": rng.choice([1, 3, 7, 20]),
        "top_p": round(rng.uniform(0.1, 0.98), 2),
        "min_p": round(rng.uniform(0.01, 0.5), 3),
        "top_h": round(rng.uniform(0.2, 1), 2),
        "typical_p": round(rng.uniform(0.1, 0.95), 2),
        "epsilon_cutoff": round(rng.uniform(0.001, 0.1), 4),
        "eta_cutoff": round(rng.uniform(0.001, 0.2), 4),
    }


def changes(rng: random.Random, vocabulary: int, tokens: list[int]) -> dict[str, object]:
    def ids(count: int) -> list[int]:
        return [rng.randrange(vocabulary) for _ in range(count)]

    return {
        "sequence_bias": [[tokens[-2:] + ids(1), 3.5], [tokens[-1:] + ids(1), -2.5], [ids(1), 1.25], [ids(3), 4.0]],
        "repetition_penalty": round(rng.uniform(0.5, 2), 2),
        "no_repeat_ngram_size": rng.choice([1, 2, 3]),
        "bad_words_ids": [ids(1), tokens[-1:] + ids(1), ids(2)],
        "min_length": len(tokens) + rng.choice([-1, 0, 1, 2]),
        "min_new_tokens": rng.choice([1, 3, 5, 8]),
        "forced_bos_token_id": rng.randrange(vocabulary),
        "forced_eos_token_id": ids(2),
        "exponential_decay_length_penalty": [rng.choice([1, 2, 3]), round(rng.uniform(0.8, 1.6), 2)],
        "suppress_tokens": ids(4),
        "begin_suppress_tokens": ids(4),
        "renormalize_logits": True,
    }


def make_line(settings: dict, tokens: list[int], prompt: int, length: int, logits: torch.Tensor) -> dict:
    result = processors(settings, prompt, length)(torch.tensor([tokens]), logits[None].clone())[0]
    return {
        "settings": settings, "tokens": tokens, "prompt": prompt, "length": length,
        "logits": [round(x, 5) for x in logits.tolist()],
        "expected": [None if x == float("-inf") else x for x in result.tolist()],
    }  # fmt: skip


def is_firm(case: dict) -> bool:
    """Whether logits changed by less than rounding could matter lead to the same filters."""
    def kept(shift: float) -> list[bool]:
        noise = torch.sin(torch.arange(len(case["logits"])) * 12.9) * shift
        logits = torch.tensor(case["logits"]) + noise
        again = make_line(case["settings"], case["tokens"], case["prompt"], case["length"], logits)
        return [x is None for x in again["expected"]]

    return kept(0) == kept(EDGE) == kept(-EDGE)


def lines(rng: random.Random, count: int) -> list[dict]:
    made: list[dict] = []
    while len(made) < count:
        vocabulary = rng.choice([23, 50, 130])
        prompt, added = rng.choice([1, 2, 5]), rng.choice([0, 0, 1, 4, 6])
        tokens = [rng.randrange(min(vocabulary, rng.choice([4, 130]))) for _ in range(prompt + added)]
        logits = torch.tensor([round(rng.gauss(0, rng.choice([0.3, 2, 5])), 5) for _ in range(vocabulary)])
        settings: dict[str, object] = {"top_k": 0}
        drawn, changed = filters(rng), changes(rng, vocabulary, tokens)
        if rng.random() < 0.7:
            settings["do_sample"] = True
            settings |= {name: drawn[name] for name in rng.sample(sorted(drawn), rng.choice([1, 1, 2, 4]))}
        if rng.random() < 0.6 or "do_sample" not in settings:
            settings |= {name: changed[name] for name in rng.sample(sorted(changed), rng.choice([1, 1, 2, 5]))}
        if "do_sample" in settings and "forced_eos_token_id" in settings:  # torch sorts equal logits in any order
            settings["forced_eos_token_id"] = settings["forced_eos_token_id"][:1]
        if "exponential_decay_length_penalty" in settings or rng.random() < 0.5:
            settings["eos_token_id"] = rng.sample(range(vocabulary), rng.choice([1, 2]))
        try:
            case = make_line(settings, tokens, prompt, prompt + rng.choice([added + 1, added + 3]), logits)
        except ValueError:  # what is forced is suppressed as well
            continue
        if all(x is None or x == x for x in case["expected"]) and is_firm(case):
            made.append(case)
    return made


def variants(rng: random.Random, vocabulary: int) -> dict:
    settings: dict[str, object] = {"max_new_tokens": rng.choice([5, 8, 12])}
    if rng.random() < 0.75:
        settings["num_beams"] = rng.choice([2, 3, 4, 6])
        settings["num_return_sequences"] = rng.randint(1, settings["num_beams"])
        settings["length_penalty"] = rng.choice([1.0, 1.0, 0.0, -0.5, 2.0])
        settings["early_stopping"] = rng.choice([True, False, "never"])
        if settings["num_beams"] % 2 == 0 and rng.random() < 0.3:
            settings |= {"num_beam_groups": 2, "diversity_penalty": rng.choice([0.5, 1.5]), "early_stopping": False}
    if rng.random() < 0.8:
        settings["eos_token_id"] = rng.sample(range(vocabulary), rng.choice([1, 2, 4]))
    some = changes(rng, vocabulary, [1, 2, 3])
    some.pop("forced_bos_token_id"), some.pop("min_length"), some.pop("min_new_tokens")
    some["forced_eos_token_id"] = some["forced_eos_token_id"][:1]  # two would be equally good
    if "eos_token_id" not in settings:
        some.pop("exponential_decay_length_penalty")
    else:
        some["min_new_tokens"] = rng.choice([2, 4])
    return settings | {name: some[name] for name in rng.sample(sorted(some), rng.choice([0, 0, 1, 2]))}


def make_text(name: str, model: torch.nn.Module, prompt: list[int], settings: dict) -> dict | None:
    """The case; None where rounding would decide it."""
    def generate(shift: float) -> tuple[list[list[int]], list[float]]:
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.mul_(1 + shift)
        if settings.get("num_beam_groups", 1) > 1:
            return diverse.search(model, prompt, settings, processors)
        config = GenerationConfig(**settings)
        result = model.generate(
            torch.tensor([prompt]), generation_config=config, attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
            use_cache=False, pad_token_id=0, return_dict_in_generate=True, output_scores=True,
        )  # fmt: skip
        ends = settings.get("eos_token_id", [])
        texts = [row[len(prompt):].tolist() for row in result.sequences]
        cut = [next((i + 1 for i, id in enumerate(text) if id in ends), len(text)) for text in texts]
        scores = result.sequences_scores.tolist() if "num_beams" in settings else []
        return [text[:n] for text, n in zip(texts, cut)], scores

    texts, scores = generate(0)
    shaken = generate(1e-6)[0]
    if texts != shaken or any(x != x or abs(x) > 1e8 for x in scores):
        return None
    return {"model": name, "prompt": prompt, "settings": settings, "texts": texts, "scores": scores}


def texts(rng: random.Random, count: int) -> list[dict]:
    made: list[dict] = []
    while len(made) < count:
        name = MODELS[len(made) % len(MODELS)]
        case = case_file.read(FOLDER.parent / "parity" / "cases" / f"{name}.json")
        model = truth.load_model(case["head"], case["config"], case_file.case_weights(case))
        model.generation_config = GenerationConfig()
        vocabulary = case["config"]["vocab_size"]
        prompt = [rng.randrange(1, vocabulary) for _ in range(rng.choice([1, 3, 6]))]
        try:
            text = make_text(name, model, prompt, variants(rng, vocabulary))
        except ValueError:
            continue
        if text:
            made.append(text)
    return made


def write(folder: Path, rng: random.Random, line_count: int, text_count: int) -> None:
    for name, cases in (("lines", lines(rng, line_count)), ("texts", texts(rng, text_count))):
        text = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
        (folder / f"{name}.json").write_text(f"[\n{text}\n]\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("make")
    check = commands.add_parser("check")
    check.add_argument("test", type=Path)
    check.add_argument("--seed", type=int, default=None)
    check.add_argument("--lines", type=int, default=400)
    check.add_argument("--texts", type=int, default=60)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    if arguments.command == "make":
        write(FOLDER, random.Random(8), 120, 48)
        return 0
    seed = random.randrange(1 << 32) if arguments.seed is None else arguments.seed
    print(f"seed {seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), random.Random(seed), arguments.lines, arguments.texts)
        environment = os.environ | {"GAMUT_GENERATION_CASES": folder}
        return subprocess.run([arguments.test, "--gtest_brief=1"], env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
