#!/usr/bin/env python3
"""Checks what keeps the tree readable: who includes whom, sizes of files, headers, words that mark unfinished work.

    check_structure.py [FOLDER]      exit status 1 and one line `file:line: message` for each finding

The length and the parameters of functions are checked by clang-tidy (.clang-tidy, readability-function-size).
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

# A folder of src/ includes only folders of lower rank; docs/decisions/folder-ranks.md says why.
RANKS = {
    "base": 0,
    "tensor": 1, "config": 1,
    "graph": 2, "text": 2, "media": 2,
    "ops": 3, "checkpoint": 3,
    "layers": 4, "passes": 4,
    "models": 5, "backend": 5,
    "runtime": 6,
    "generate": 7, "hub": 7,
    "tasks": 8,
    "api": 9,
}  # fmt: skip

# Includes that the rules forbid and that are right all the same: (file, included file) -> why.
EXCEPTIONS = {
    ("src/backend/cpu/cpu_backend.cpp", "backend/reference/reference_backend.h"):
        "weights are folded at load by the reference backend's evaluator",
    ("src/backend/openvino/openvino_backend.cpp", "backend/reference/reference_backend.h"):
        "weights are folded at load by the reference backend's evaluator",
}  # fmt: skip

# The list of backends, and the tests that compare them, know them all.
KNOW_EVERY_BACKEND = re.compile(r"src/backend/(backend\.cpp|[a-z0-9_]+_test\.cpp)")

# The interfaces of other engines, by how their headers begin; only the backend's own folder includes them.
ENGINE_HEADERS = {
    "openvino/": "src/backend/openvino/",
    "cuda": "src/backend/cuda/",
    "cublas": "src/backend/cuda/",
    "cudnn": "src/backend/cuda/",
    "nvrtc": "src/backend/cuda/",
}

KERNELS = "src/backend/cpu/kernels/"
# A kernel file is compiled for an instruction set, and the linker may keep its copy of any inline function for all.
KERNEL_SYSTEM_HEADERS = {"cstddef", "cstdint", "immintrin.h", "arm_neon.h"}

HEADER_LINES, SOURCE_LINES, KERNEL_LINES, ARCHITECTURE_LINES = 250, 400, 800, 250

FOLDERS = ("include", "src", "apps", "bench", "tests", "tools", "scripts", "cmake", "docs", "fuzz", "bindings", "web", ".ci")
# The root holds what a visitor reads first, and nothing that a tool has left there.
ROOT_FILES = {
    ".clang-format", ".clang-tidy", ".gitignore", "CMakeLists.txt", "CMakePresets.json", "CONTRIBUTING.md", "LICENSE",
    "README.md", "SECURITY.md",
}  # fmt: skip
SKIPPED = {"__pycache__", "corpus"}  # the seeds of fuzzers are any bytes
TEXT_SUFFIXES = {".cpp", ".h", ".cu", ".py", ".sh", ".md", ".cmake", ".txt", ".json", ""}
CODE_SUFFIXES = {".cpp", ".h", ".cu", ".py", ".sh"}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
UNFINISHED = re.compile(r"\b(" + "|".join(("TO" "DO", "FIX" "ME", "XX" "X", "HA" "CK")) + r")\b")
STD_REGEX = re.compile(r"\bstd::(w?regex|regex_\w+)\b|#\s*include\s*<regex>")
MACHINE_PATH = re.compile(r"(?<![\w.}])/(home|Users)/\w")

Finding = tuple[str, int, str]


def may_include(file: str, included: str) -> str | None:
    """Why `file` may not include "included"; None if it may."""
    if included.startswith("gamut/") or (file, included) in EXCEPTIONS:
        return None
    if file.startswith("include/"):
        return "a public header includes only public headers"
    if file.startswith("apps/"):
        inside = included.split("/")[0] in RANKS or ".." in included
        return "apps use the public API only, gamut/…, and their own files" if inside else None
    if not file.startswith("src/"):
        return None
    folder, target = file.split("/")[1], included.split("/")[0]
    if "/" not in included or target not in RANKS:
        return 'write the path from src/ on, as in "graph/graph.h", or <…> for a library'
    if folder not in RANKS:
        return f"src/{folder} has no rank; give it one in tools/check_structure.py"
    if folder != target and RANKS[target] >= RANKS[folder]:
        return f"{folder} (rank {RANKS[folder]}) may not include {target} (rank {RANKS[target]})"
    if folder == target == "backend":
        return may_include_backend(file, included)
    return None


def may_include_backend(file: str, included: str) -> str | None:
    """Inside backend/: a backend knows itself and the contract, the contract knows no backend."""
    own, other = file.split("/")[2:-1], included.split("/")[1:-1]
    if not other or own[:1] == other[:1] or KNOW_EVERY_BACKEND.fullmatch(file):
        return None
    return f"only backend/{other[0]} and the list in backend.cpp know the backend {other[0]}"


def check_includes(file: str, lines: list[str]) -> Iterator[Finding]:
    for number, line in enumerate(lines, 1):
        if not (match := INCLUDE.match(line)):
            continue
        kind, included = match.groups()
        if kind == '"' and (why := may_include(file, included)):
            yield file, number, f'"{included}": {why}'
        if kind == "<":
            for prefix, place in ENGINE_HEADERS.items():
                if included.startswith(prefix) and not file.startswith((place, "bench/")):  # there it is a peer
                    yield file, number, f"<{included}>: only {place} uses this engine's interface"
            if file.startswith(KERNELS) and not file.endswith("_test.cpp") and included not in KERNEL_SYSTEM_HEADERS:
                yield file, number, f"<{included}>: a kernel file includes no library code"


def line_limit(file: str) -> int:
    if file.startswith(KERNELS) or file.startswith("src/backend/cuda/kernels/"):
        return KERNEL_LINES
    if file.endswith(".h"):
        return HEADER_LINES
    if re.fullmatch(r"src/models/[^/]+/[^/]+\.cpp", file) and not file.endswith(("_family.cpp", "_test.cpp")):
        return ARCHITECTURE_LINES
    return SOURCE_LINES


def check_header(file: str, lines: list[str]) -> Iterator[Finding]:
    if not lines or not re.match(r"// \S", lines[0]):
        yield file, 1, "a header's first line says in a // sentence what the file is for"
    if "#pragma once" not in lines:
        yield file, 1, "#pragma once is missing"


def check_text(file: str, lines: list[str]) -> Iterator[Finding]:
    for number, line in enumerate(lines, 1):
        if match := UNFINISHED.search(line):
            yield file, number, f"{match.group(1)}: finish it, or say what is so and why"
        if file.endswith((".cpp", ".h")) and STD_REGEX.search(line):
            yield file, number, "std::regex overflows the stack on long input; it is banned"
        if MACHINE_PATH.search(line):
            yield file, number, "a path of one machine"


def check_file(root: Path, file: str) -> Iterator[Finding]:
    lines = (root / file).read_text(encoding="utf-8").splitlines()
    if Path(file).suffix in CODE_SUFFIXES and len(lines) > line_limit(file):
        yield file, line_limit(file) + 1, f"{len(lines)} lines, at most {line_limit(file)}"
    if file.endswith(".h"):
        yield from check_header(file, lines)
    if file.endswith((".cpp", ".h", ".cu")):
        yield from check_includes(file, lines)
    yield from check_text(file, lines)


def check(root: Path) -> list[Finding]:
    files = [path for path in root.iterdir() if path.is_file() and path.name != ".git"]  # a file in a worktree
    strangers = sorted(path.name for path in files if path.name not in ROOT_FILES)
    for folder in FOLDERS:
        files += (path for path in (root / folder).rglob("*") if path.is_file() and not SKIPPED & set(path.parts))
    names = sorted(path.relative_to(root).as_posix() for path in files if path.suffix in TEXT_SUFFIXES)
    findings = [finding for name in names for finding in check_file(root, name)]
    return findings + [(name, 1, "does not belong in the root; see ROOT_FILES") for name in strangers]


def main() -> int:
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent).resolve()
    findings = check(root)
    for file, line, message in findings:
        print(f"{file}:{line}: {message}")
    if findings:
        print(f"{len(findings)} findings", file=sys.stderr)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
