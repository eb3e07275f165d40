#!/usr/bin/env python3
"""Tests of check_structure.py: each rule on a small tree that breaks it."""

import tempfile
import unittest
from pathlib import Path

import check_structure


class CheckStructure(unittest.TestCase):
    def findings(self, files: dict[str, str]) -> list[str]:
        with tempfile.TemporaryDirectory() as folder:
            for name, text in files.items():
                path = Path(folder) / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            return [f"{file}:{line}: {message}" for file, line, message in check_structure.check(Path(folder))]

    def assert_finds(self, name: str, text: str, expected: str) -> None:
        found = self.findings({name: text})
        self.assertEqual(len(found), 1, found)
        self.assertIn(expected, found[0])

    def assert_clean(self, name: str, text: str) -> None:
        self.assertEqual(self.findings({name: text}), [])

    def test_ranks(self):
        self.assert_clean("src/models/a.cpp", '#include "layers/basic.h"\n#include "models/b.h"\n#include "gamut/error.h"\n')
        self.assert_finds("src/ops/a.cpp", '\n#include "layers/basic.h"\n', "a.cpp:2: \"layers/basic.h\": ops (rank 3)")
        self.assert_finds("src/models/a.cpp", '#include "backend/backend.h"\n', "may not include backend")
        self.assert_finds("src/unheard/a.cpp", '#include "base/error.h"\n', "has no rank")
        self.assert_finds("src/base/a.cpp", '#include "error.h"\n', "write the path from src/")

    def test_public_headers_and_apps(self):
        self.assert_finds("include/gamut/a.h", '// A.\n#pragma once\n#include "base/error.h"\n', "only public headers")
        self.assert_finds("apps/cli/a.cpp", '#include "base/error.h"\n', "public API only")
        self.assert_clean("apps/cli/a.cpp", '#include "commands.h"\n#include "gamut/error.h"\n')
        self.assert_clean("tests/parity/a.cpp", '#include "backend/cpu/cpu_backend.h"\n')

    def test_backends(self):
        self.assert_clean("src/backend/backend.cpp", '#include "backend/cpu/cpu_backend.h"\n')
        self.assert_clean("src/backend/cpu/a.cpp", '#include "backend/cpu/b.h"\n#include "backend/backend.h"\n')
        self.assert_clean("src/backend/cpu/cpu_backend.cpp", '#include "backend/reference/reference_backend.h"\n')
        self.assert_finds("src/backend/cuda/a.cpp", '#include "backend/cpu/b.h"\n', "know the backend cpu")
        self.assert_finds("src/backend/host_ops.cpp", '#include "backend/cpu/b.h"\n', "know the backend cpu")
        self.assert_clean("bench/a.cpp", "#include <openvino/openvino.hpp>\n")
        self.assert_finds("src/runtime/a.cpp", "#include <openvino/openvino.hpp>\n", "only src/backend/openvino/")
        self.assert_finds("src/backend/cpu/kernels/a.cpp", "#include <vector>\n", "no library code")

    def test_headers(self):
        self.assert_finds("src/base/a.h", "#pragma once\n", "first line")
        self.assert_finds("src/base/a.h", "// What it is for.\n", "#pragma once")

    def test_sizes(self):
        header = "// A.\n#pragma once\n"
        self.assert_clean("src/base/a.h", header + "\n" * 248)
        self.assert_finds("src/base/a.h", header + "\n" * 249, "251 lines, at most 250")
        self.assert_finds("src/base/a.cpp", "\n" * 401, "at most 400")
        self.assert_clean("src/backend/cpu/kernels/a.cpp", "\n" * 800)
        self.assert_finds("src/models/encoder/a.cpp", "\n" * 251, "at most 250")
        self.assert_clean("src/models/encoder/a_family.cpp", "\n" * 400)
        self.assert_clean("src/text/tables.inc", "\n" * 2000)

    def test_root(self):
        self.assert_clean("README.md", "# gamut\n")
        self.assert_finds("array##0f.gcov", "\n", "does not belong in the root")

    def test_words(self):
        self.assert_finds("src/base/a.cpp", "// TO" "DO later\n", "finish it")
        self.assert_finds("src/base/a.cpp", "std::regex r;\n", "banned")
        self.assert_finds("README.md", "see /home" "/someone\n", "one machine")


if __name__ == "__main__":
    unittest.main()
