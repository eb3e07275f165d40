"""The same as read_checkpoint.cpp with torch.load(mmap=True, weights_only=True); imports do not count.

read_torch.py FOLDER      prints {"open_ms", "ms", "tensors", "xor"}
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
import torch


def main() -> int:
    torch.set_num_threads(1)
    started = time.perf_counter()
    tensors = torch.load(Path(sys.argv[1]) / "pytorch_model.bin", mmap=True, weights_only=True)
    opened = time.perf_counter()
    result = np.uint64(0)
    for tensor in tensors.values():
        words = tensor.contiguous().reshape(-1).view(torch.uint8).numpy()
        result ^= np.bitwise_xor.reduce(words[: len(words) // 8 * 8].view(np.uint64))
    ended = time.perf_counter()
    print(
        json.dumps(
            {
                "open_ms": (opened - started) * 1e3,
                "ms": (ended - started) * 1e3,
                "tensors": len(tensors),
                "xor": int(result),
            }
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
