#!/usr/bin/env python3
"""Compares `gamut embed` with transformers on the published all-MiniLM-L6-v2 and 200 real texts of 1 to 250 words.

    minilm.py [--model DIR] [--gamut PROGRAM] [--count 200] [--seed 0] [--engine gamut|sentence-transformers]

Fails unless every cosine is at least 0.999999 and every embedding has length 1. The engine sentence-transformers
checks the reference itself. The Python of `scripts/python_env.sh` runs it; scripts/minilm.sh gets the checkpoint.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import json
import random
import subprocess
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
REQUIRED_COSINE = 0.999999
LONGEST_TEXT = 250  # words

LICENCES = Path("/usr/share/common-licenses")
LOCALES = Path("/usr/share/i18n/locales")
DOCUMENTED_MODULES = (
    "argparse", "asyncio", "collections", "datetime", "decimal", "email", "functools", "itertools", "json", "logging",
    "pathlib", "random", "re", "statistics", "string", "subprocess", "threading", "typing", "unittest", "zipfile",
)  # fmt: skip


def docstrings() -> list[str]:
    """Prose about Python, with the identifiers and punctuation that go with it."""
    texts = []
    for name in DOCUMENTED_MODULES:
        module = importlib.import_module(name)
        members = [module] + [value for _, value in sorted(vars(module).items(), key=lambda item: item[0])]
        texts += [text for text in map(inspect.getdoc, members) if text]
    return texts


def files(folder: Path) -> list[str]:
    """The texts of a folder's files; none if this system has no such folder."""
    if not folder.is_dir():
        return []
    return [path.read_text(encoding="utf-8", errors="replace") for path in sorted(folder.iterdir()) if path.is_file()]


def word_sources() -> list[list[str]]:
    """Running words of each kind of text found here. The sentences count twice: only they hold many scripts."""
    sentences = (HERE / "sentences.txt").read_text(encoding="utf-8").splitlines()
    sources = [files(LICENCES), docstrings(), files(LOCALES), sentences, sentences]
    return [" ".join(texts).split() for texts in sources if texts]


def make_texts(count: int, seed: int) -> list[str]:
    """`count` texts of one line each: a sentence, a run of words from one source, or runs from several in one text."""
    rng = random.Random(seed)
    sources = word_sources()
    texts = (HERE / "sentences.txt").read_text(encoding="utf-8").splitlines()[:count]
    while len(texts) < count:
        length = rng.choice(
            (1, 2, 3, rng.randint(1, 30), rng.randint(1, 120), rng.randint(1, LONGEST_TEXT), LONGEST_TEXT)
        )
        words: list[str] = []
        pieces = rng.choice((1, 1, 1, 4))
        while len(words) < length:
            source = rng.choice(sources)
            start = rng.randrange(len(source))
            words += source[start : start + max(1, length // pieces)]
        texts.append(" ".join(words[:length]))
    return texts


def reference(folder: Path, texts: list[str]) -> np.ndarray:
    """Embeddings by transformers, each text alone, as the checkpoint's modules.json and 1_Pooling say."""
    import torch
    import transformers

    transformers.logging.disable_progress_bar()
    steps = [module["type"].rpartition(".")[2] for module in json.loads((folder / "modules.json").read_text())]
    pooling = json.loads((folder / "1_Pooling" / "config.json").read_text())
    used = [mode for mode, on in pooling.items() if mode.startswith("pooling_mode_") and on]
    if steps != ["Transformer", "Pooling", "Normalize"] or used != ["pooling_mode_mean_tokens"]:
        raise ValueError(f"{folder}: this reference knows mean pooling and normalisation only, not {steps} with {used}")
    longest = json.loads((folder / "sentence_bert_config.json").read_text())["max_seq_length"]
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
    embeddings, lengths = [], []
    for text in texts:
        inputs = tokenizer(text, truncation=True, max_length=longest, return_tensors="pt")
        with torch.inference_mode():
            mean = model(**inputs).last_hidden_state[0].double().mean(dim=0)
        embeddings.append((mean / mean.norm()).numpy())
        lengths.append(inputs["input_ids"].shape[1])
    words = [len(text.split()) for text in texts]
    print(
        f"{len(texts)} texts of {min(words)} to {max(words)} words, {min(lengths)} to {max(lengths)} tokens, "
        f"{sum(length == longest for length in lengths)} cut at {longest}"
    )
    return np.stack(embeddings)


def by_gamut(program: Path, folder: Path, texts: list[str]) -> np.ndarray:
    done = subprocess.run(
        [program, "embed", folder, "--json"], input="\n".join(texts) + "\n", capture_output=True, encoding="utf-8"
    )
    if done.returncode:
        raise RuntimeError(f"gamut embed failed ({done.returncode}): {(done.stderr or done.stdout).strip()}")
    lines = done.stdout.rstrip("\n").split("\n")
    if len(lines) != len(texts):
        raise RuntimeError(f"gamut embed wrote {len(lines)} lines for {len(texts)} texts")
    return np.array([json.loads(line)["embedding"] for line in lines])


def by_sentence_transformers(folder: Path, texts: list[str]) -> np.ndarray:
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(folder), device="cpu").encode(texts, batch_size=8).astype(np.float64)


def compare(embeddings: np.ndarray, truth: np.ndarray, texts: list[str]) -> bool:
    norms = np.linalg.norm(embeddings, axis=1)
    cosines = (embeddings * truth).sum(axis=1) / norms
    worst = int(cosines.argmin())
    print(
        f"min cosine {cosines.min():.9f} (text {worst}: {texts[worst][:60]!r}), "
        f"lengths {norms.min():.6f} to {norms.max():.6f}"
    )
    return bool(cosines.min() >= REQUIRED_COSINE and np.abs(norms - 1).max() < 1e-4)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", type=Path, help="the checkpoint's folder; default: what scripts/minilm.sh prints")
    parser.add_argument("--gamut", type=Path, default=ROOT / "build" / "release" / "gamut")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--engine", choices=("gamut", "sentence-transformers"), default="gamut")
    arguments = parser.parse_args()
    if arguments.engine == "gamut" and not arguments.gamut.is_file():
        print(f"minilm: {arguments.gamut} is not built", file=sys.stderr)
        return 1
    folder = arguments.model
    if folder is None:
        folder = Path(
            subprocess.run(
                [ROOT / "scripts" / "minilm.sh"], check=True, stdout=subprocess.PIPE, text=True
            ).stdout.strip()
        )
    texts = make_texts(arguments.count, arguments.seed)
    truth = reference(folder, texts)
    if arguments.engine == "gamut":
        embeddings = by_gamut(arguments.gamut.resolve(), folder, texts)
    else:
        embeddings = by_sentence_transformers(folder, texts)
    return 0 if compare(embeddings, truth, texts) else 1


if __name__ == "__main__":
    sys.exit(main())
