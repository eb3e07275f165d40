#!/usr/bin/env python3
"""Writes src/text/template/html_entities.inc: the named characters of HTML, from Python's own table.

    make_html_entities.py [--check]
"""
import argparse
import sys
from html.entities import html5
from pathlib import Path

OUTPUT = Path(__file__).resolve().parent.parent / "src/text/template/html_entities.inc"


def literal(text: str) -> str:
    return '"' + "".join(c if " " <= c < "\x7f" and c not in '"\\' else "".join("\\%03o" % b for b in c.encode()) for c in text) + '"'


def text() -> str:
    lines, line = ["// Made by tools/make_html_entities.py; do not edit.", "// clang-format off", "constexpr Entity kEntities[] = {"], ""
    for name in sorted(html5):
        entry = "{%s,%s}," % (literal(name), literal(html5[name]))
        if len(line) + len(entry) > 116:
            lines.append(line)
            line = ""
        line += entry
    return "\n".join([*lines, line + "};", "// clang-format on", ""])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="only say whether the file is up to date")
    if parser.parse_args().check:
        return 0 if OUTPUT.read_text() == text() else 1
    OUTPUT.write_text(text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
