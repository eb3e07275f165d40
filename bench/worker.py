"""A peer in a process of its own, so that only one engine computes at a time: the side that asks and the side that runs.

The asking side writes the number of runs to time as a line; the running side answers with their milliseconds as JSON.
"""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

WARM_UP_RUNS = 2


@dataclass(frozen=True)
class Job:
    """What a worker runs: a peer, a checkpoint, the lengths of the rows and the way they are batched."""

    peer: str
    folder: str
    lengths: list[int]
    way: str
    threads: int
    precision: str
    output: str  # where the results go, once: row after row, without padding


class Worker:
    """The asking side."""

    def __init__(self, job: Job):
        self.name = job.peer
        command = [sys.executable, __file__, json.dumps(dataclasses.asdict(job))]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.answer()

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


def quiet_libraries() -> None:
    """No progress bars, nor the warnings of tracing and exporting; errors still show."""
    import logging
    import warnings

    import transformers

    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()


def run_job(job: Job, answers) -> None:
    """Prepares the engine, stores its results, then times as many runs as each line of stdin asks for."""
    import numpy as np

    import models
    import peers

    folder = Path(job.folder)
    token_rows = peers.make_rows(job.lengths, models.sizes(folder)["vocab_size"])
    batches = peers.make_batches(token_rows, job.way)
    run = peers.PEERS[job.peer](folder, batches[0].inputs, len(batches) > 1, job.threads, job.precision)
    results = {}
    for batch in batches:
        for row, result in zip(batch.rows, run(batch.inputs)):
            results[row] = np.array(result[: job.lengths[row]])  # a copy: engines reuse their output
    np.save(job.output, np.concatenate([results[row] for row in sorted(results)]))
    print(json.dumps({"ready": job.peer}), file=answers, flush=True)
    for line in sys.stdin:
        milliseconds = []
        for number in range(-WARM_UP_RUNS, int(line)):
            started = time.perf_counter()
            for batch in batches:
                run(batch.inputs)
            if number >= 0:
                milliseconds.append((time.perf_counter() - started) * 1e3)
        print(json.dumps({"ms": milliseconds}), file=answers, flush=True)


def main() -> int:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # only answers go to stdout, whatever libraries print there
    quiet_libraries()
    run_job(Job(**json.loads(sys.argv[1])), answers)
    return 0


if __name__ == "__main__":
    sys.exit(main())
