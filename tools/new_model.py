#!/usr/bin/env python3
"""First look at a model type: makes a tiny case of each head and shows what gamut makes of it.

    new_model.py TYPE [--head Class] [--out DIR] [--gamut PROGRAM]

For each head: writes DIR/TYPE/<Head>.json and the checkpoint folder DIR/TYPE/<Head>/, lists its tensors that no
output depends on, then runs `gamut info --strict` (which tensors are unused, which are missing) and `gamut forward`
(how far the outputs are from transformers'). A type in tests/parity/architectures.py is made by its row there, any
other by shrinking transformers' default config. The Python of `scripts/python_env.sh` runs it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "parity"))

import architectures  # noqa: E402
import case_file  # noqa: E402
import make_cases  # noqa: E402
from sensitivity import TOLERANCE  # noqa: E402


def head_names(model_type: str) -> list[str]:
    if model_type in architectures.ARCHITECTURES:
        return list(architectures.ARCHITECTURES[model_type].heads)
    import shrink

    return shrink.head_classes(model_type)


def make_case(model_type: str, head: str) -> dict:
    if model_type in architectures.ARCHITECTURES:
        return make_cases.make_case(
            model_type, head, architectures.committed_knobs(head, index=0, activation=0), seed=1
        )
    import shrink

    return shrink.make_case(model_type, head)


def run_gamut(program: Path, *arguments: str) -> tuple[bool, str]:
    """Whether it succeeded, and its output or else its error in one line (`{"error": {"code", "message", "hint"}}`)."""
    done = subprocess.run([program, *arguments, "--json"], capture_output=True, text=True)
    if done.returncode == 0:
        return True, done.stdout
    for text in (done.stdout, done.stderr):
        for line in reversed(text.strip().splitlines() or [""]):
            try:
                error = json.loads(line)["error"]
            except (ValueError, KeyError, TypeError):
                continue
            return False, ": ".join(str(error[key]) for key in ("code", "message", "hint") if error.get(key))
    return False, f"exit code {done.returncode} without a JSON error: {(done.stderr or done.stdout).strip()[-500:]}"


def largest_error(case: dict, outputs: dict[str, np.ndarray]) -> str:
    """The error of each output in the parity test's measure, over the positions that are not masked."""
    mask = case_file.decode(case["inputs"]["attention_mask"]) if "attention_mask" in case["inputs"] else None
    report = []
    for name, entry in case["outputs"].items():
        expected = case_file.decode(entry)
        if name not in outputs:
            report.append(f"{name} is missing")
        elif outputs[name].shape != expected.shape:
            report.append(f"{name} has shape {list(outputs[name].shape)}, not {list(expected.shape)}")
        else:
            difference = np.abs(outputs[name] - expected)
            if mask is not None and expected.shape[:2] == mask.shape:
                difference = difference[mask.astype(bool)]
            error = float(difference.max()) / max(1.0, float(np.abs(expected).max()))
            report.append(f"{name} {'ok' if error <= TOLERANCE else 'WRONG'} (error {error:.2g})")
    return ", ".join(report)


def look(program: Path, case: dict, folder: Path) -> list[str]:
    """What gamut says to the exported case."""
    from safetensors.numpy import load_file

    if not program.is_file():
        return [f"gamut    {program} is not built yet; the checkpoint is in {folder}"]
    known, said = run_gamut(program, "info", str(folder), "--strict")
    report = ["info     ok: every tensor is used, none is missing" if known else f"info     {said}"]
    outputs = folder / "outputs.safetensors"
    arguments = ("--inputs", str(folder / "inputs.safetensors"), "--outputs", str(outputs), "--head", case["head"])
    ran, said = run_gamut(program, "forward", str(folder), *arguments)
    return report + [f"forward  {largest_error(case, load_file(outputs)) if ran else said}"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("type", help="a model_type, as config.json spells it")
    parser.add_argument("--head", help="only this class")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "new_model")
    parser.add_argument("--gamut", type=Path, default=ROOT / "build" / "release" / "gamut")
    arguments = parser.parse_args()
    make_cases.quiet_libraries()

    heads = [arguments.head] if arguments.head else head_names(arguments.type)
    if not heads:
        print(f"transformers knows no model type {arguments.type!r}", file=sys.stderr)
        return 1
    failed = 0
    for head in heads:
        print(head)
        try:
            case = make_case(arguments.type, head)
        except Exception as error:  # any model's code runs here; the next head may still work
            print(
                f"  case     cannot be made: {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
            )
            failed += 1
            continue
        folder = arguments.out / arguments.type / head
        case_file.write(case, folder.with_suffix(".json"))
        case_file.export(case, folder)
        print(
            f"  case     {len(case['tensors'])} tensors, inputs {', '.join(case['inputs'])}; "
            f"outputs {', '.join(case['outputs'])}"
        )
        if case["insensitive"]:
            print(f"  no output depends on {', '.join(case['insensitive'])}")
        print("\n".join(f"  {line}" for line in look(arguments.gamut.resolve(), case, folder)))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
