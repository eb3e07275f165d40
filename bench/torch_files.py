"""A checkpoint of PyTorch, 1 GB: opened, and read to the last byte, by gamut and by torch.load(mmap=True)."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import engines
import loading
from report import MEBIBYTE, Figure, Report, compare

TENSORS, ROWS, COLUMNS = 64, 2048, 2048
PEER = "torch.load(mmap=True)"


def write_checkpoint(folder: str) -> None:
    import torch

    generator = torch.Generator().manual_seed(0)
    state = {f"layer.{i}.weight": torch.randn(ROWS, COLUMNS, generator=generator) for i in range(TENSORS)}
    torch.save(state, Path(folder) / "pytorch_model.bin")


@contextlib.contextmanager
def readers(arguments: argparse.Namespace) -> Iterator[dict[str, list[str]]]:
    """The command of each engine, over one file that has been read once by each and is the same to both."""
    with tempfile.TemporaryDirectory() as folder:
        engines.in_child(write_checkpoint, folder)
        program = str(arguments.kernels.parent / "bench_read_checkpoint")
        commands = {
            "gamut": [program, folder, "map"],
            "gamut, in pieces": [program, folder, "pieces"],
            PEER: [sys.executable, str(engines.FOLDER / "read_torch.py"), folder],
        }
        loading.read_anew(Path(folder))
        results = {name: measured(command) for name, command in commands.items()}
        if len({(result["tensors"], result["xor"]) for result in results.values()}) != 1:
            raise RuntimeError(f"the engines read different bytes: {results}")
        yield commands


def measured(command: list[str]) -> dict:
    found = engines.launch(command)
    return found | json.loads(found["line"])


def measure(arguments: argparse.Namespace, what: str) -> dict[str, list[float]]:
    with readers(arguments) as commands:
        runs = {name: partial(lambda command: measured(command)[what], command) for name, command in commands.items()}
        return engines.measure_rounds(runs, arguments.rounds)


def load(name: str, arguments: argparse.Namespace, what: str, title: str) -> Report:
    report = Report(name, title, rows=compare(measure(arguments, what)))
    report.figures["torch"] = Figure(report.rows[-1].ratio.median)
    report.notes = ["gamut: in the map, as torch.load; in pieces: as the cpu backend packs, safe from files that shrink",
                    "one thread each; without the start of the processes and Python's imports; the file is in memory"]
    return report


def opening(name: str, arguments: argparse.Namespace) -> Report:
    return load(name, arguments, "open_ms", "a PyTorch checkpoint of 1 GB is opened")


def reading(name: str, arguments: argparse.Namespace) -> Report:
    return load(name, arguments, "ms", "a PyTorch checkpoint of 1 GB is opened and read to the last byte")


def memory(name: str, arguments: argparse.Namespace) -> Report:
    found = {engine: [value / MEBIBYTE for value in values] for engine, values in measure(arguments, "peak_bytes").items()}
    report = Report(name, "peak memory of opening and reading it", unit="MiB", rows=compare(found))
    report.figures["torch"] = Figure(report.rows[-1].ratio.median)
    report.notes = ["resident memory at its peak, pages of the file that are mapped and PyTorch itself included"]
    return report
