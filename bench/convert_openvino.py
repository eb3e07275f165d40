"""A checkpoint through OpenVINO's own path, once: transformers, convert_model, compile_model, the first result.

    convert_openvino.py FOLDER IDS ROWS THREADS PRECISION OUTPUT

IDS and OUTPUT as bench_openvino_ir has them. Prints {"ms"}: from the checkpoint to the first result, without the start
of Python and its imports.
"""

import json
import os
import sys
import time
from pathlib import Path

import numpy as np
import openvino  # noqa: F401, imported before the time counts
import torch  # noqa: F401
import transformers  # noqa: F401

import peers
from worker import quiet_libraries


def main() -> int:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # only the answer goes to stdout, whatever libraries print there
    quiet_libraries()
    folder, ids_file, rows, threads, precision, output = sys.argv[1:]
    ids = np.fromfile(ids_file, np.int64).reshape(int(rows), -1)
    inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
    started = time.perf_counter()
    run = peers.openvino(Path(folder), inputs, False, int(threads), precision)
    result = run(inputs)
    milliseconds = (time.perf_counter() - started) * 1e3
    result.tofile(output)
    print(json.dumps({"ms": milliseconds}), file=answers, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
