"""The workloads of the benchmark: each measures gamut and its peers and says what it found."""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import statistics
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

import engines
import loading
import models
import peers
import torch_files
from report import MEBIBYTE, TOLERANCE, Figure, Report, Row, Spread, check_outputs, compare
from worker import Job, Worker

BF16_TOLERANCE = 0.1  # two engines that round at other places, twelve layers deep
ROUND_GFLOP = 400  # what an engine computes in about two seconds
SENTENCE = "The quick brown fox jumps over the lazy dog."
EMBED_PEERS = ("onnxruntime", "sentence_transformers")
LARGE_MATMUL = "M=512 N=3072 K=768"
MATMUL_LINE = re.compile(
    r"^matmul packed (?P<shape>[^:]+): (?P<ms>[\d.]+) ms, (?P<rate>[\d.]+) GF/s, [\d.]+ % of (?P<peak>[\d.]+)",
    re.MULTILINE,
)


def ragged_lengths() -> list[int]:
    """64 sentences of 4 to 256 tokens, both there: between them every length equally likely, in no order."""
    between = np.random.default_rng(0).integers(4, 257, 62)
    return [4, *(int(length) for length in between), 256]


@dataclass(frozen=True)
class Workload:
    """Rows of tokens through the model of a checkpoint, and the ways in which a peer may batch them."""

    model: str
    lengths: list[int]
    ways: tuple[str, ...] = ("padded",)
    backend: str = "cpu"
    precision: str = "f32"

    def where(self) -> tuple[str, ...]:
        return ("--backend", self.backend, "--precision", self.precision)

    def peers(self, arguments: argparse.Namespace) -> list[str]:
        """A backend that is another's engine is measured against that engine's own way."""
        return list(arguments.peers) if self.backend == "cpu" else [self.backend]

    def title(self) -> str:
        if len(set(self.lengths)) == 1:
            return f"{self.model}, {len(self.lengths)} x {self.lengths[0]} tokens"
        rows, tokens = len(self.lengths), sum(self.lengths)
        return f"{self.model}, {rows} rows of {min(self.lengths)} to {max(self.lengths)}, {tokens} tokens together"


def make_jobs(workload: Workload, folder: Path, files: str, arguments: argparse.Namespace) -> dict[str, Job]:
    """Every peer in every way of batching."""
    jobs = {}
    for peer in workload.peers(arguments):
        for way in workload.ways:
            label = peer if len(workload.ways) == 1 else f"{peer}, {way}"
            output = f"{files}/{label}.npy"
            jobs[label] = Job(
                peer, str(folder), workload.lengths, way, arguments.threads, workload.precision, output
            )
    return jobs


def runs_in_round(most: int, gflop: float) -> int:
    """Fewer runs of a long pass, whose times scatter less: about two seconds of each engine, two runs at least."""
    return max(2, min(most, round(ROUND_GFLOP / gflop)))


def median_of_runs(worker: Worker, runs: int) -> float:
    return statistics.median(worker.measure(runs))


def start_workers(stack: contextlib.ExitStack, jobs: dict[str, Job]) -> dict[str, Worker]:
    """One after the other, as conversion takes memory and all cores."""
    workers = {}
    for name, job in jobs.items():
        workers[name] = Worker(job)
        stack.callback(workers[name].close)
    return workers


def best_peer(rows: list[Row]) -> Row:
    """The peer with the least median; a luckier round of another does not count."""
    return min((row for row in rows if row.ratio), key=lambda row: row.value.median)


def forward(workload: Workload, name: str, arguments: argparse.Namespace) -> Report:
    """Times a forward pass of every engine."""
    folder = engines.in_child(models.checkpoint, workload.model)
    lengths = workload.lengths
    with tempfile.TemporaryDirectory() as files, contextlib.ExitStack() as stack:
        jobs = make_jobs(workload, folder, files, arguments)
        workers = start_workers(stack, jobs)
        outputs = {label: np.load(job.output) for label, job in jobs.items()}
        outputs["gamut"] = engines.gamut_forward(arguments, folder, lengths, workload.where())
        note = check_outputs(outputs, TOLERANCE if workload.precision == "f32" else BF16_TOLERANCE)
        gflop = models.forward_gflop(folder, lengths)
        count = runs_in_round(arguments.runs, gflop)
        ours = partial(engines.gamut_bench, arguments, folder, lengths, count, workload.where())
        runs: dict[str, Callable[[], float]] = {"gamut": ours}
        runs |= {label: partial(median_of_runs, worker, count) for label, worker in workers.items()}
        runs["peak"] = partial(engines.peak_gflops, arguments)
        found = engines.measure_rounds(runs, arguments.rounds)
    peaks = found.pop("peak")
    shares = {
        label: Spread.of(100 * gflop / (ms * 1e-3) / peak for ms, peak in zip(values, peaks))
        for label, values in found.items()
    }
    is_f32 = workload.precision == "f32"  # the peak is that of f32 multiply-adds
    rows = [Row(row.name, row.value, row.ratio, shares[row.name] if is_f32 else None) for row in compare(found)]
    best = best_peer(rows)
    report = Report(name, f"{workload.title()}, {workload.precision}, {arguments.threads} threads, {gflop:.1f} GFLOP", rows=rows)
    report.figures["best_peer"] = Figure(best.ratio.median, best.name)
    report.notes = [f"measured peak {Spread.of(peaks).text(1).strip()} GF/s; {note}"]
    return report


def matmul(name: str, arguments: argparse.Namespace) -> Report:
    """The kernels' own benchmark, which measures the peak beside each product."""
    found: dict[str, list[tuple[float, float]]] = {}
    for _ in range(arguments.rounds):
        lines = list(MATMUL_LINE.finditer(engines.kernels(arguments, "large")))
        peak = max(float(line["peak"]) for line in lines)  # the highest of the round: a neighbour only lowers it
        for line in lines:
            found.setdefault(line["shape"], []).append((float(line["ms"]), 100 * float(line["rate"]) / peak))
    report = Report(name, f"f32 products with packed weights, {arguments.threads} threads")
    for shape, values in found.items():
        times, shares = zip(*values)
        report.rows.append(Row(shape, Spread.of(times), share=Spread.of(shares)))
    large = next(row for row in report.rows if row.name == LARGE_MATMUL)
    report.figures["share"] = Figure(large.share.median, LARGE_MATMUL)
    return report


def embed_commands(arguments: argparse.Namespace) -> dict[str, list[str]]:
    """One sentence embedded by the published all-MiniLM-L6-v2, with each engine from the command line."""
    folder = minilm_folder()
    threads = str(arguments.threads)
    example = peers.make_batch(peers.make_rows([16, 16], 1000), [0, 1]).inputs
    onnx = engines.in_child(peers.onnx_file, folder, example, True)
    scripts = {name: [sys.executable, str(engines.FOLDER / f"embed_{name}.py")] for name in EMBED_PEERS}
    return {
        "gamut": [str(arguments.gamut), "embed", str(folder), SENTENCE, "--threads", threads, "--json"],
        "onnxruntime": [*scripts["onnxruntime"], str(onnx), str(folder / "tokenizer.json"), threads, SENTENCE],
        "sentence-transformers": [*scripts["sentence_transformers"], str(folder), threads, SENTENCE],
    }


def minilm_folder() -> Path:
    return Path(engines.run([str(engines.FOLDER.parent / "scripts" / "minilm.sh")]).strip())


def warm_up(commands: dict[str, list[str]]) -> str:
    """Runs each once, so that all files are in memory and compiled; a note on how far the embeddings are apart."""
    lines = {name: engines.launch(command)["line"] for name, command in commands.items()}
    return check_outputs({name: np.array(json.loads(line)["embedding"]) for name, line in lines.items()})


def start_up(name: str, arguments: argparse.Namespace) -> Report:
    """From the start of the process to the line with the embedding."""
    commands = embed_commands(arguments)
    note = warm_up(commands)
    runs = {engine: partial(launched, "ms", command) for engine, command in commands.items()}
    report = Report(name, "process start to the first MiniLM embedding, files in memory")
    report.rows = compare(engines.measure_rounds(runs, arguments.rounds))
    report.figures = {row.name: Figure(row.ratio.median) for row in report.rows if row.ratio}
    report.notes = [note]
    return report


def launched(what: str, command: list[str]) -> float:
    return engines.launch(command)[what]


def memory(name: str, arguments: argparse.Namespace) -> Report:
    """Peak resident memory of the same processes, the mapped file included."""
    commands = embed_commands(arguments)
    note = warm_up(commands)
    runs = {engine: partial(launched, "peak_bytes", command) for engine, command in commands.items()}
    found = engines.measure_rounds(runs, arguments.rounds)
    mebibytes = {engine: [value / MEBIBYTE for value in values] for engine, values in found.items()}
    file_size = (minilm_folder() / "model.safetensors").stat().st_size / MEBIBYTE
    report = Report(name, "peak memory of embedding one sentence with MiniLM", unit="MiB", rows=compare(mebibytes))
    report.figures["above_file"] = Figure(report.rows[0].value.max - file_size, f"the file has {file_size:.1f}")
    report.notes = [note]
    return report


FORWARDS = {
    "bert-base-1x128": Workload("bert-base", [128]),
    "bert-base-8x128": Workload("bert-base", [128] * 8),
    "minilm-1x128": Workload("minilm", [128]),
    "minilm-1x16": Workload("minilm", [16]),
    "minilm-ragged": Workload("minilm", ragged_lengths(), ("padded", "sorted")),
    "openvino-bert-base-1x128": Workload("bert-base", [128], backend="openvino"),
    "openvino-bert-base-8x128": Workload("bert-base", [128] * 8, backend="openvino"),
    "openvino-bert-base-1x128-bf16": Workload("bert-base", [128], backend="openvino", precision="bf16"),
    "openvino-bert-base-8x128-bf16": Workload("bert-base", [128] * 8, backend="openvino", precision="bf16"),
    "openvino-minilm-1x128": Workload("minilm", [128], backend="openvino"),
}

SCENARIOS: dict[str, Callable[[str, argparse.Namespace], Report]] = {
    **{name: partial(forward, workload) for name, workload in FORWARDS.items()},
    "matmul": matmul,
    "start-up": start_up,
    "memory": memory,
    "openvino-load": loading.load,
    "openvino-memory": loading.memory,
    "torch-file-open": torch_files.opening,
    "torch-file-read": torch_files.reading,
    "torch-file-memory": torch_files.memory,
}
