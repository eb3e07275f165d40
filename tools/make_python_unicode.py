#!/usr/bin/env python3
"""Writes src/text/template/python_unicode.inc: what Python's str knows about each character.

    make_python_unicode.py [--check]     run with the interpreter of scripts/python_env.sh

Templates see Python's strings, so every answer is asked of Python itself: classes, case mappings, decimal digits, and
the characters that Jinja takes for part of a name.
"""
import argparse
import sys
from pathlib import Path

from jinja2.lexer import name_re as NAME

OUTPUT = Path(__file__).resolve().parent.parent / "src/text/template/python_unicode.inc"
LAST = 0x110000


def case_ignorable(c: str) -> bool:
    """Whether a capital sigma looks past the character for a letter before it."""
    final = lambda text: text.lower().endswith("ς")
    cased = c.islower() or c.isupper() or c.istitle()
    return not final("." + c + "Σ") if cased else final("A" + c + "Σ")


# In the order of the bits of CharProperty.
PROPERTIES = [
    str.isprintable, str.isalpha, str.isdecimal, str.isdigit, str.isnumeric, str.islower, str.isupper,
    lambda c: c.istitle() and not c.isupper(), str.isspace, lambda c: NAME.fullmatch(c) is not None,
    str.isidentifier, lambda c: ("a" + c).isidentifier(), case_ignorable,
]
MAPPINGS = {"kUpper": str.upper, "kLower": str.lower, "kTitle": str.title, "kFold": str.casefold}


def numbers(values) -> str:
    lines, line = [], ""
    for value in values:
        if len(line) + len(value) > 116:
            lines.append(line)
            line = ""
        line += value + ","
    return "\n".join(lines + [line])


def flags(code: int) -> int:
    if 0xD800 <= code < 0xE000:
        return 0
    return sum(1 << bit for bit, has in enumerate(PROPERTIES) if has(chr(code)))


def text() -> str:
    out = ["// Made by tools/make_python_unicode.py from Python %d.%d; do not edit." % sys.version_info[:2], "// clang-format off"]
    ranges, last = [], None
    for code in range(LAST):
        value = flags(code)
        if value != last:
            ranges.append("{%d,%d}" % (code, value))
            last = value
    out.append("constexpr PropertyRange kPropertyRanges[] = {\n%s};" % numbers(ranges))
    targets = []
    for name, change in MAPPINGS.items():
        entries = []
        for code in range(LAST):
            if 0xD800 <= code < 0xE000 or change(chr(code)) == chr(code):
                continue
            changed = [ord(c) for c in change(chr(code))]
            entries.append("{%d,%d,%d}" % (code, len(targets), len(changed)))
            targets += changed
        out.append("constexpr CaseMapping %sMappings[] = {\n%s};" % (name, numbers(entries)))
    out.append("constexpr char32_t kMappedTo[] = {\n%s};" % numbers(map(str, targets)))
    zeros = [str(c) for c in range(LAST) if chr(c).isdecimal() and int(chr(c)) == 0]
    out.append("constexpr char32_t kDecimalZeros[] = {\n%s};" % numbers(zeros))
    return "\n".join(out) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare with the committed file instead of writing it")
    made = text()
    if parser.parse_args().check:
        if OUTPUT.read_text(encoding="utf-8") != made:
            print("%s differs from what this Python says" % OUTPUT.name)
            return 1
        return 0
    OUTPUT.write_text(made, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
