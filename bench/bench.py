#!/usr/bin/env python3
"""Measures gamut and its peers in one run, interleaved, as ratios of the time of a forward pass.

A ratio is peer / gamut: above 1, gamut is faster.

    bench.py [--models bert-base minilm] [--peers openvino onnxruntime pytorch] [--batch 1] [--tokens 128]
             [--threads 2] [--rounds 5] [--runs 10] [--gamut PROGRAM] [--json]

A round measures each engine in turn, so that all see the same clock speed and the same neighbours; the ratio is taken
inside a round. Each peer lives in a process of its own that waits while another one computes. The Python of
`scripts/python_env.sh` runs it.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
SETTLE_SECONDS = 0.3  # thread pools spin for a while after their last task
WARM_UP_RUNS = 2


class Worker:
    """A peer in its own process: told how many runs to time, it answers with their milliseconds."""

    def __init__(self, name: str, folder: Path, arguments: argparse.Namespace, output: Path):
        options = ["--batch", arguments.batch, "--tokens", arguments.tokens, "--threads", arguments.threads]
        command = [sys.executable, __file__, "--worker", name, str(folder), str(output), *map(str, options)]
        self.name = name
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def answer(self) -> dict:
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} ended with exit code {self.process.wait()}; its error is above")
        return json.loads(line)

    def measure(self, runs: int) -> list[float]:
        self.process.stdin.write(f"{runs}\n")
        self.process.stdin.flush()
        return self.answer()["ms"]

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()


def serve(name: str, folder: Path, output: Path, arguments: argparse.Namespace) -> int:
    """The worker's side. Only answers go to stdout: what libraries print there is sent to stderr."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    quiet_libraries()
    import peers

    vocab = json.loads((folder / "config.json").read_text()).get("vocab_size", 30522)
    forward = peers.PEERS[name](folder, peers.make_inputs(arguments.batch, arguments.tokens, vocab), arguments.threads)
    np.save(output, forward())
    print(json.dumps({"ready": name}), file=answers, flush=True)
    for line in sys.stdin:
        for _ in range(WARM_UP_RUNS):
            forward()
        milliseconds = []
        for _ in range(int(line)):
            started = time.perf_counter()
            forward()
            milliseconds.append((time.perf_counter() - started) * 1e3)
        print(json.dumps({"ms": milliseconds}), file=answers, flush=True)
    return 0


def quiet_libraries() -> None:
    """No progress bars, nor the warnings of tracing and exporting; errors still show."""
    import logging
    import warnings

    import transformers

    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()


def measure_gamut(program: Path, folder: Path, arguments: argparse.Namespace) -> float:
    """The median milliseconds of a forward pass, by `gamut bench`."""
    options = {
        "batch": arguments.batch,
        "tokens": arguments.tokens,
        "threads": arguments.threads,
        "runs": arguments.runs,
    }
    command = [str(program), "bench", str(folder), "--precision", "f32", "--json"]
    command += [text for name, value in options.items() for text in (f"--{name}", str(value))]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    for line in done.stdout.splitlines():
        measured = json.loads(line)
        if measured.get("what") == "forward":
            return measured["ms_median"]
    raise RuntimeError(f"no measurement of a forward pass from: {' '.join(command)}\n{done.stdout}")


def spread(values: list[float]) -> dict[str, float]:
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def bench_model(name: str, arguments: argparse.Namespace) -> dict:
    """{"model", "ms": {engine: spread over rounds}, "ratio": {peer: spread}, "difference": {peer: ...}} of one
    checkpoint.
    """
    import models

    folder = models.checkpoint(name)
    with tempfile.TemporaryDirectory() as outputs, contextlib.ExitStack() as stack:
        workers = []
        for peer in arguments.peers:  # one after the other: conversion takes memory and both cores
            workers.append(Worker(peer, folder, arguments, Path(outputs) / f"{peer}.npy"))
            stack.callback(workers[-1].close)
            workers[-1].answer()
        milliseconds: dict[str, list[float]] = {engine: [] for engine in ["gamut", *arguments.peers]}
        for _ in range(arguments.rounds):
            if arguments.gamut.is_file():
                milliseconds["gamut"].append(measure_gamut(arguments.gamut, folder, arguments))
            for worker in workers:
                time.sleep(SETTLE_SECONDS)
                milliseconds[worker.name].append(statistics.median(worker.measure(arguments.runs)))
            time.sleep(SETTLE_SECONDS)
        results = {peer: np.load(Path(outputs) / f"{peer}.npy") for peer in arguments.peers}
    reference = next(iter(results.values()))
    report = {"model": name, "batch": arguments.batch, "tokens": arguments.tokens, "threads": arguments.threads}
    report["ms"] = {engine: spread(values) for engine, values in milliseconds.items() if values}
    report["ratio"] = {
        peer: spread([theirs / ours for theirs, ours in zip(milliseconds[peer], milliseconds["gamut"])])
        for peer in arguments.peers
        if milliseconds["gamut"]
    }
    report["difference"] = {peer: float(np.abs(result - reference).max()) for peer, result in results.items()}
    return report


def print_report(report: dict) -> None:
    print(f"{report['model']}, batch {report['batch']}, {report['tokens']} tokens, {report['threads']} threads, f32")
    for engine, values in report["ms"].items():
        line = f"  {engine:12} {values['median']:8.1f} ms ({values['min']:.1f} to {values['max']:.1f})"
        if engine in report["ratio"]:
            ratio = report["ratio"][engine]
            line += f"   {ratio['median']:.2f} x gamut ({ratio['min']:.2f} to {ratio['max']:.2f})"
        print(line)
    first = next(iter(report["difference"]))
    print(
        "  largest difference from " + first + ": " + ", ".join(f"{k} {v:.1e}" for k, v in report["difference"].items())
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--worker", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--models", nargs="+", default=["bert-base", "minilm"])
    parser.add_argument("--peers", nargs="+", default=["openvino", "onnxruntime", "pytorch"])
    for name, default in (("batch", 1), ("tokens", 128), ("threads", 2), ("rounds", 5), ("runs", 10)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--gamut", type=Path, default=ROOT / "build" / "release" / "gamut")
    parser.add_argument("--json", action="store_true", help="one JSON line per model")
    arguments = parser.parse_args()
    if arguments.worker:
        name, folder, output = arguments.worker
        return serve(name, Path(folder), Path(output), arguments)
    quiet_libraries()
    if not arguments.gamut.is_file():
        print(f"bench: {arguments.gamut} is not built; measuring the peers alone, without ratios", file=sys.stderr)
    for model in arguments.models:
        report = bench_model(model, arguments)
        print(json.dumps(report)) if arguments.json else print_report(report)
    return 0


if __name__ == "__main__":
    sys.exit(main())
