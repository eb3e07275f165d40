"""Starts a program and says how long its first line of output took, and how much memory it needed at most.

    python -S -E launch.py PROGRAM [ARGUMENT…]     prints {"ms", "peak_bytes", "exit_code", "line"}

A small process of its own, because Linux counts the memory of the process that starts another into the other's peak.
"""

import json
import os
import subprocess
import sys
import time


def main() -> int:
    started = time.perf_counter()
    process = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
    line = process.stdout.readline()
    milliseconds = (time.perf_counter() - started) * 1e3
    process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    answer = {
        "ms": milliseconds,
        "peak_bytes": usage.ru_maxrss * 1024,
        "exit_code": os.waitstatus_to_exitcode(status),
        "line": line.decode(),
    }
    print(json.dumps(answer))
    return 0


if __name__ == "__main__":
    sys.exit(main())
