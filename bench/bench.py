#!/usr/bin/env python3
"""Measures gamut beside the engines a user would otherwise pick, in one run, interleaved, and says which goals are met.

    bench.py [--scenarios NAME…] [--peers NAME…] [--threads 2] [--rounds 5] [--runs 10] [--json]
             [--gamut PROGRAM] [--kernels PROGRAM]

A ratio is peer / gamut: above 1, gamut is faster, or smaller. README.md here says what is measured how; scripts/bench.sh
builds everything and runs this with the Python of scripts/python_env.sh.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

import peers
from report import Report
from scenarios import SCENARIOS

RELEASE = Path(__file__).resolve().parent.parent / "build" / "release"
BUSY_LOAD = 0.5


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenarios", nargs="+", choices=SCENARIOS, default=list(SCENARIOS), metavar="NAME",
                        help=f"default: all of {', '.join(SCENARIOS)}")  # fmt: skip
    parser.add_argument("--peers", nargs="+", choices=peers.PEERS, default=list(peers.PEERS), metavar="NAME",
                        help=f"of a forward pass, default: {', '.join(peers.PEERS)}")  # fmt: skip
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5, help="each measures every engine once")
    parser.add_argument("--runs", type=int, default=10, help="timed forward passes of an engine in a round, fewer when they are long")
    parser.add_argument("--gamut", type=Path, default=RELEASE / "gamut")
    parser.add_argument("--kernels", type=Path, default=RELEASE / "bench" / "bench_kernels")
    parser.add_argument("--json", action="store_true", help="one JSON line per scenario")
    arguments = parser.parse_args()
    for program in (arguments.gamut, arguments.kernels):
        if not program.is_file():
            parser.error(f"{program} is not built; scripts/bench.sh builds it")
    return arguments


def print_summary(reports: list[Report]) -> None:
    verdicts = [(met, f"{report.scenario}: {text}") for report in reports for met, text in report.verdicts()]
    print(f"{sum(met for met, _ in verdicts)} of {len(verdicts)} goals met")
    for met, text in verdicts:
        if not met:
            print(f"  {text}")


def main() -> int:
    arguments = parse_arguments()
    load = os.getloadavg()[0]  # now, while all of it is others' work
    busy = [f"NOISY: at the start the load of this machine was {load:.1f}"] if load > BUSY_LOAD else []
    reports = []
    for name in arguments.scenarios:
        print(f"bench: measuring {name}", file=sys.stderr)
        reports.append(SCENARIOS[name](name, arguments))
        reports[-1].notes += busy
        if arguments.json:
            print(json.dumps(reports[-1].as_json()), flush=True)
        else:
            print("\n".join(reports[-1].lines()), end="\n\n", flush=True)
    if not arguments.json:
        print_summary(reports)
    return 0


if __name__ == "__main__":
    sys.exit(main())
