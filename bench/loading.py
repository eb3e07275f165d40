"""From a checkpoint on disk to the first result, on the openvino backend and on OpenVINO's own path: time and memory."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

import engines
import models
import peers
from report import MEBIBYTE, Figure, Report, Row, check_outputs, compare

MODEL, LENGTHS, PRECISION = "bert-base", [128], "f32"
CACHED_IR = ("IR", "IR, model cache")
FIRST_TIME = "gamut, first time"


@dataclass(frozen=True)
class Start:
    """One way to start: how it is launched, and where its result is then."""

    launch: Callable[[], dict]  # as launch.py answers
    result: Callable[[], np.ndarray]


def of_gamut(arguments: argparse.Namespace, folder: Path, files: Path, cache: Path | None) -> Start:
    """`gamut forward`, process start and the writing of all outputs included; without a cache each start compiles, and
    fills a new one.
    """
    from safetensors.numpy import load_file

    output = files / f"gamut-{cache is None}.safetensors"
    command = [str(arguments.gamut), "forward", str(folder), "--inputs", str(files / "inputs.safetensors"),
               "--outputs", str(output), "--threads", str(arguments.threads), "--backend", "openvino",
               "--precision", PRECISION, "--json"]  # fmt: skip

    def launch() -> dict:
        with contextlib.nullcontext(cache) if cache else tempfile.TemporaryDirectory() as kept:
            return engines.launch([*command, "--cache-folder", str(kept)])

    return Start(launch, lambda: load_file(output)["last_hidden_state"].reshape(-1))


def of_openvino(command: list[str], output: Path) -> Start:
    """A program that ends with its result in `output`; where it says how long it took, that counts."""

    def launch() -> dict:
        found = engines.launch(command)
        return found | json.loads(found["line"]) if found["line"].startswith("{") else found

    return Start(launch, lambda: np.fromfile(output, np.float32))


def make_starts(arguments: argparse.Namespace, files: Path) -> dict[str, Start]:
    from safetensors.numpy import save_file

    folder = engines.in_child(models.checkpoint, MODEL)
    token_rows = peers.make_rows(LENGTHS, models.sizes(folder)["vocab_size"])
    inputs = peers.make_batches(token_rows, "padded")[0].inputs
    save_file(inputs, files / "inputs.safetensors")
    ids, rows = files / "ids", str(len(LENGTHS))
    inputs["input_ids"].tofile(ids)
    ir = engines.in_child(peers.openvino_file, folder, inputs)
    how = [str(ids), rows, str(arguments.threads), PRECISION]
    program = str(arguments.kernels.parent / "bench_openvino_ir")
    script = str(engines.FOLDER / "convert_openvino.py")
    outputs = {name: files / name for name in (*CACHED_IR, "converted")}
    plain, cached = outputs[CACHED_IR[0]], outputs[CACHED_IR[1]]
    return {
        "gamut": of_gamut(arguments, folder, files, files / "gamut-cache"),
        FIRST_TIME: of_gamut(arguments, folder, files, None),
        CACHED_IR[0]: of_openvino([program, str(ir), *how, str(plain)], plain),
        CACHED_IR[1]: of_openvino([program, str(ir), *how, str(cached), str(files / "ir-cache")], cached),
        "converted": of_openvino(
            [sys.executable, script, str(folder), *how, str(outputs["converted"])], outputs["converted"]
        ),
    }


def read_anew(folder: Path) -> None:
    """Brings every file of the folder into memory from its beginning to its end. How a file came there decides how large
    the pieces are in which the system keeps it, and so how long it takes to map: all engines' files come the same way.
    """
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
                while file.read(16 * MEBIBYTE):
                    pass


def measure(arguments: argparse.Namespace, what: str, chosen: Callable[[str], bool]) -> tuple[dict[str, list[float]], str]:
    """`what` of the chosen starts over the rounds, after one start of each that fills the caches and is compared."""
    with tempfile.TemporaryDirectory() as files:
        starts = {name: start for name, start in make_starts(arguments, Path(files)).items() if chosen(name)}
        outputs = {}
        for name, start in starts.items():
            start.launch()
            outputs[name] = start.result()
        note = check_outputs(outputs)
        for folder in (Path(files), engines.in_child(models.checkpoint, MODEL), peers.openvino_folder()):
            read_anew(folder)
        runs = {name: partial(lambda start: start.launch()[what], start) for name, start in starts.items()}
        return engines.measure_rounds(runs, arguments.rounds), note


def load(name: str, arguments: argparse.Namespace) -> Report:
    found, note = measure(arguments, "ms", lambda _: True)
    report = Report(name, f"{MODEL}, {PRECISION}, {arguments.threads} threads: from the files to the first result")
    report.rows = compare(found)
    best = best_ir(report)
    report.figures["cached_ir"] = Figure(best.ratio.median, best.name)
    report.figures["converted"] = Figure(
        statistics.median(theirs / ours for theirs, ours in zip(found["converted"], found[FIRST_TIME]))
    )
    report.notes = [note, "gamut and IR: process start to process end; converted: without Python's start and imports"]
    return report


def memory(name: str, arguments: argparse.Namespace) -> Report:
    found, note = measure(arguments, "peak_bytes", lambda engine: engine != "converted")
    mebibytes = {engine: [value / MEBIBYTE for value in values] for engine, values in found.items()}
    report = Report(name, f"{MODEL}, {PRECISION}: peak memory of the same processes", unit="MiB", rows=compare(mebibytes))
    best = best_ir(report)
    report.figures["cached_ir"] = Figure(1 / best.ratio.median, best.name)
    report.notes = [note]
    return report


def best_ir(report: Report) -> Row:
    return min((row for row in report.rows if row.name in CACHED_IR), key=lambda row: row.value.median)
