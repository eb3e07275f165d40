#!/usr/bin/env python3
"""Makes the parity cases: tiny random checkpoints of real architectures, and what transformers computes for them.

    make_cases.py make [--only TYPE]             writes tests/parity/cases/<model_type>/<Head>_<n>.json
    make_cases.py check [--only TYPE]            remakes every case in memory and compares it with the committed file
    make_cases.py export CASE DIR                writes a case as a checkpoint folder, for `gamut forward`
    make_cases.py fresh --seed N --out DIR       makes cases of random shapes that nobody has seen

The Python of `scripts/python_env.sh` runs it.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))
os.environ.setdefault("HF_HUB_OFFLINE", "1")  # everything is made here; nothing is to be fetched

import case_file
import sensitivity
import truth
from architectures import ARCHITECTURES, Architecture, Knobs
from checkpoint import published_config, tensor_list
from seeded_weights import fnv1a64

CASES = Path(__file__).resolve().parent / "cases"
CHECK_TOLERANCE = 5e-6  # other CPUs sum in another order; still 20 times below the parity tolerance
BF16_FACTOR = 2.0  # other CPUs sum products of bf16 in another order
MAX_ATTEMPTS = 60


def make_rows(model, architecture: Architecture, knobs: Knobs, rng: random.Random) -> list[dict[str, np.ndarray]]:
    """The unpadded inputs of each row: ids over the whole vocabulary, no assumption about the first or the last."""
    rows = []
    padding = architecture.position_padding(knobs)
    for length in knobs.lengths:
        row = {"input_ids": [rng.choice([i for i in range(knobs.vocab) if i != padding]) for _ in range(length)]}
        if knobs.pad_inside and length > 2:
            row["input_ids"][length // 2] = knobs.pad_id if padding is None else padding
        if architecture.token_types and knobs.type_vocab > 1:
            row["token_type_ids"] = [rng.randrange(knobs.type_vocab) for _ in range(length)]
        if knobs.explicit_positions and truth.takes(model, "position_ids"):
            table = architecture.config(knobs).get("max_position_embeddings", knobs.max_length)
            table = max(table, knobs.max_length)
            if architecture.adjacent_positions:
                start = rng.randrange(table - length + 1)
                row["position_ids"] = list(range(start, start + length))
            else:
                row["position_ids"] = rng.sample(range(table), length)
        rows.append({name: np.array(values, dtype=np.int64) for name, values in row.items()})
    return rows


def batch_inputs(rows: list[dict[str, np.ndarray]], knobs: Knobs, rng: random.Random) -> dict[str, np.ndarray]:
    """The padded batch that a user would pass, with its attention_mask."""
    length = knobs.max_length
    fill = np.full((len(rows), length), knobs.pad_id)
    if knobs.junk_padding:
        fill = np.array([[rng.randrange(knobs.vocab) for _ in range(length)] for _ in rows])
    batch = {"input_ids": truth.pad_rows([row["input_ids"] for row in rows], knobs.left_padding, length, fill)}
    ones = [np.ones_like(row["input_ids"]) for row in rows]
    batch["attention_mask"] = truth.pad_rows(ones, knobs.left_padding, length)
    for name in rows[0].keys() - {"input_ids"}:
        batch[name] = truth.pad_rows([row[name] for row in rows], knobs.left_padding, length)
    return dict(sorted(batch.items()))


def make_checkpoint(model_type: str, head: str, knobs: Knobs) -> dict:
    """The case's config and tensors: the parts of a case that describe a published checkpoint."""
    import transformers

    architecture = ARCHITECTURES[model_type]
    head_class = getattr(transformers, head)
    arguments = architecture.config(knobs)
    if head.endswith(("ForSequenceClassification", "ForTokenClassification")):
        arguments["num_labels"] = knobs.labels
    config = head_class.config_class(**arguments)
    untied_by_file = knobs.tied and knobs.untied_by_file and head.endswith("ForMaskedLM")
    model = head_class(
        head_class.config_class(**arguments | {"tie_word_embeddings": knobs.tied and not untied_by_file})
    )
    is_base = model.base_model is model
    tensors = tensor_list(
        model,
        prefix=f"{model.base_model_prefix}." if knobs.prefixed and is_base else "",
        old_norms=knobs.old_norm_names and architecture.old_norm_names,
        untied_by_file=untied_by_file,
        stacked=architecture.stacked(knobs),
    )
    published = published_config(config, head, knobs.full_config)
    config = architecture.old_config(published) if getattr(knobs, "old_rope", False) else published
    return {"config": config, "tensors": tensors}


def try_case(model_type: str, head: str, knobs: Knobs, seed: int) -> dict:
    """One case; raises InsensitiveCase if it would not notice a wrong tensor."""
    import transformers

    architecture = ARCHITECTURES[model_type]
    case = {"model_type": model_type, "head": head, "transformers": transformers.__version__, "seed": seed}
    case |= make_checkpoint(model_type, head, knobs)
    model = truth.load_model(head, case["config"], case_file.case_weights(case), architecture.attention)
    rng = random.Random(f"{model_type}/{head}/{seed}")
    rows = make_rows(model, architecture, knobs, rng)
    truth.require_firm_choices(model, rows)
    outputs = [truth.run_row(model, row) for row in rows]
    case["insensitive"] = sensitivity.check(model, case, rows, outputs, architecture.insensitive)
    inputs = batch_inputs(rows, knobs, rng)
    case["inputs"] = {name: case_file.encode(value) for name, value in inputs.items()}
    case["bf16_errors"] = truth.bf16_errors(model, rows)
    case["bf16_rms"] = truth.bf16_rms(model, rows)
    batch = truth.batch_outputs(outputs, knobs.lengths, knobs.left_padding)
    case["outputs"] = {name: case_file.encode(value) for name, value in batch.items()}
    if truth.generates(model) and not knobs.explicit_positions:
        case["generation"] = [truth.generate(model, row["input_ids"]) for row in rows]
    return case


def make_case(model_type: str, head: str, knobs: Knobs, seed: int) -> dict:
    """The first case from `seed` on that notices every tensor (ids are few, so a draw can miss half a table)."""
    for attempt in range(MAX_ATTEMPTS):
        try:
            return try_case(model_type, head, knobs, seed + attempt)
        except (sensitivity.InsensitiveCase, truth.NearTie) as error:
            refused = error
    raise refused


def committed_cases(only: str | None) -> Iterator[tuple[str, dict]]:
    """Every committed case with its path below tests/parity/cases."""
    for model_type, architecture in ARCHITECTURES.items():
        if only not in (None, model_type):
            continue
        activation = 0
        for head in architecture.heads:
            for index in range(architecture.committed_count(head)):
                seed = fnv1a64(f"{model_type}/{head}_{index}") % 1_000_000
                yield (
                    f"{model_type}/{head}_{index}.json",
                    make_case(model_type, head, architecture.committed_knobs(head, index, activation), seed),
                )
                activation += 1


def command_make(only: str | None) -> int:
    started, sizes = time.monotonic(), []
    for name, case in committed_cases(only):
        case_file.write(case, CASES / name)
        sizes.append((CASES / name).stat().st_size)
    print(
        f"{len(sizes)} cases, {sum(sizes)} bytes, largest {max(sizes)}, {time.monotonic() - started:.0f} s",
        file=sys.stderr,
    )
    return 0


def differences(made: dict, committed: dict) -> list[str]:
    """What differs between a case made now and the committed one; outputs may differ by rounding."""
    rounded = ("outputs", "bf16_errors", "bf16_rms", "generation")
    found = [key for key in made.keys() | committed.keys() if key not in rounded and made.get(key) != committed.get(key)]
    if made["outputs"].keys() != committed["outputs"].keys():
        return sorted(found) + ["outputs (names)"]
    for name, entry in made["outputs"].items():
        a, b = case_file.decode(entry), case_file.decode(committed["outputs"][name])
        if a.shape != b.shape:
            found.append(f"outputs.{name} (shape)")
        elif (error := float(np.abs(a - b).max())) > CHECK_TOLERANCE * max(1.0, float(np.abs(b).max())):
            found.append(f"outputs.{name} (by {error:.2g})")
    for n, (row, known) in enumerate(zip(made.get("generation", ()), committed.get("generation", ()))):
        a, b = case_file.decode(row["logits"]), case_file.decode(known["logits"])
        if row["tokens"] != known["tokens"] or a.shape != b.shape:
            found.append(f"generation of row {n}")
        elif (error := float(np.abs(a - b).max())) > CHECK_TOLERANCE * max(1.0, float(np.abs(b).max())):
            found.append(f"generation of row {n} (by {error:.2g})")
    if len(made.get("generation", ())) != len(committed.get("generation", ())):
        found.append("generation (rows)")
    for key in ("bf16_errors", "bf16_rms"):
        for name, error in made[key].items():
            known = committed.get(key, {}).get(name, 0)
            if not error / BF16_FACTOR <= known <= error * BF16_FACTOR:
                found.append(f"{key}.{name} ({error:.2g}, not {known:.2g})")
    return sorted(found)


def command_check(only: str | None) -> int:
    pattern = f"{only or '*'}/*.json"
    committed = {path.relative_to(CASES).as_posix(): path for path in CASES.glob(pattern)}
    problems = []
    count = 0
    for name, case in committed_cases(only):
        count += 1
        path = committed.pop(name, None)
        if path is None:
            problems.append(f"missing   {name}")
        elif different := differences(case, case_file.read(path)):
            problems.append(f"different {name}: {', '.join(different)}")
    problems += [f"extra     {name}" for name in sorted(committed)]
    print("\n".join(problems) if problems else f"{count} cases equal the committed ones")
    return 1 if problems else 0


def command_fresh(seed: int, out: Path, count: int, only: str | None) -> int:
    rng = random.Random(seed)
    types = [only] if only else list(ARCHITECTURES)
    made = 0
    while made < count:
        model_type = rng.choice(types)
        head = rng.choice(ARCHITECTURES[model_type].heads)
        try:
            case = make_case(model_type, head, ARCHITECTURES[model_type].random_knobs(rng), rng.randrange(1 << 40))
        except (sensitivity.InsensitiveCase, truth.AmbiguousShape, truth.NearTie):
            continue  # this shape cannot show every tensor, e.g. a large table and short rows; draw another
        case_file.write(case, out / model_type / f"{head}_{seed}_{made}.json")
        made += 1
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("make", "check"):
        commands.add_parser(name).add_argument("--only", choices=ARCHITECTURES, metavar="TYPE")
    export = commands.add_parser("export")
    export.add_argument("case", type=Path)
    export.add_argument("dir", type=Path)
    fresh = commands.add_parser("fresh")
    fresh.add_argument("--seed", type=int, required=True)
    fresh.add_argument("--out", type=Path, required=True)
    fresh.add_argument("--count", type=int, default=20)
    fresh.add_argument("--only", choices=ARCHITECTURES, metavar="TYPE")
    arguments = parser.parse_args()
    if arguments.command == "export":
        case_file.export(case_file.read(arguments.case), arguments.dir)
        return 0

    quiet_libraries()
    if arguments.command == "make":
        return command_make(arguments.only)
    if arguments.command == "check":
        return command_check(arguments.only)
    return command_fresh(arguments.seed, arguments.out, arguments.count, arguments.only)


def quiet_libraries() -> None:
    """One thread (the models are tiny, and sums then have one order), no progress bars."""
    import torch
    import transformers

    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()


if __name__ == "__main__":
    sys.exit(main())
