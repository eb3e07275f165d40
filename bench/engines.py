"""Runs gamut, the kernel benchmark and other programs, and measures several engines in turn."""

from __future__ import annotations

import argparse
import concurrent.futures
import json
import multiprocessing
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import models
import peers
from worker import quiet_libraries

SETTLE_SECONDS = 0.3  # thread pools spin for a while after their last task
FOLDER = Path(__file__).resolve().parent


def measure_rounds(engines: dict[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Every engine once a round, so that all see the same clock speed and the same neighbours; each round begins with
    another one.
    """
    names = list(engines)
    found: dict[str, list[float]] = {name: [] for name in names}
    for number in range(rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            time.sleep(SETTLE_SECONDS)
            found[name].append(engines[name]())
    return found


def start_child() -> None:
    os.dup2(2, 1)  # stdout is for reports
    quiet_libraries()


def in_child(function: Callable, *arguments):
    """Calls it in a process that is gone afterwards, with the libraries and the memory that it took."""
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, context, initializer=start_child) as pool:
        return pool.submit(function, *arguments).result()


def run(command: list[str]) -> str:
    """Its output. A failure ends the benchmark; what the program says about it is on stderr."""
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"exit code {done.returncode} from: {' '.join(command)}\n{done.stdout}")
    return done.stdout


def gamut_bench(
    arguments: argparse.Namespace, folder: Path, lengths: list[int], runs: int, where: tuple[str, ...]
) -> float:
    """The median milliseconds of a forward pass, by `gamut bench`; `where` are the options for backend and precision."""
    if len(set(lengths)) == 1:
        shape = ["--batch", str(len(lengths)), "--tokens", str(lengths[0])]
    else:
        shape = ["--lengths", ",".join(map(str, lengths))]
    options = ["--threads", str(arguments.threads), "--runs", str(runs), *where, "--json"]
    for line in run([str(arguments.gamut), "bench", str(folder), *shape, *options]).splitlines():
        measured = json.loads(line)
        if measured["what"] == "forward":
            return measured["ms_median"]
    raise RuntimeError(f"{arguments.gamut} bench measured no forward pass of {folder}")


def gamut_forward(
    arguments: argparse.Namespace, folder: Path, lengths: list[int], where: tuple[str, ...]
) -> np.ndarray:
    """What gamut computes for the workload: row after row, without padding."""
    from safetensors.numpy import load_file, save_file

    token_rows = peers.make_rows(lengths, models.sizes(folder)["vocab_size"])
    inputs = peers.make_batches(token_rows, "padded")[0].inputs
    with tempfile.TemporaryDirectory() as files:
        asked, answered = f"{files}/inputs.safetensors", f"{files}/outputs.safetensors"
        save_file(inputs, asked)
        options = [*where, "--threads", str(arguments.threads)]
        run([str(arguments.gamut), "forward", str(folder), "--inputs", asked, "--outputs", answered, *options])
        hidden = load_file(answered)["last_hidden_state"]
    return hidden[inputs["attention_mask"].astype(bool)]


def kernels(arguments: argparse.Namespace, group: str) -> str:
    return run([str(arguments.kernels), "--threads", str(arguments.threads), "--only", group])


def peak_gflops(arguments: argparse.Namespace) -> float:
    """The f32 multiply-add peak of the machine at this number of threads, now."""
    return float(re.search(r"peak ([\d.]+) GF/s", kernels(arguments, "none"))[1])


def launch(command: list[str]) -> dict:
    """What launch.py measures of a program."""
    found = json.loads(run([sys.executable, "-S", "-E", str(FOLDER / "launch.py"), *command]))
    if found["exit_code"] != 0:
        raise RuntimeError(f"exit code {found['exit_code']} from: {' '.join(command)}")
    return found
