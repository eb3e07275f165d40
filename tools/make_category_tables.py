#!/usr/bin/env python3
"""Writes src/text/category_tables.inc by asking the `tokenizers` package about every code point: general categories (those
of its regular expressions), scripts, grapheme classes, compatibility decompositions and compositions.

Usage: tools/make_category_tables.py > src/text/category_tables.inc
"""
import struct
import sys
import unicodedata

import regex
import tokenizers
from make_unicode_tables import BLOCK, HANGUL, LIMIT, code_points, emit, emit_mapping
from tokenizers import Regex
from tokenizers.normalizers import NFC, NFD, NFKC, NFKD, Precompiled
from tokenizers.pre_tokenizers import Split, UnicodeScripts

# The order is that of enum Category in src/text/category.h.
CATEGORIES = "Cn Cc Cf Co Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp".split()
# The order is that of enum GraphemeClass.
OTHER, CONTROL, CR, LF, EXTEND, ZWJ, SPACING, PREPEND, PICTOGRAPHIC, LEAD, VOWEL, TRAIL, LV, LVT, REGIONAL = range(15)


def two_stage(values):
    blocks, index = {}, []
    for at in range(0, LIMIT, BLOCK):
        index.append(blocks.setdefault(tuple(values[at : at + BLOCK]), len(blocks)))
    return index, [v for block in blocks for v in block]


def emit_table(name, values):
    index, blocks = two_stage(values)
    emit("uint8_t" if max(index) < 256 else "uint16_t", "k%sIndex" % name, index)
    emit("uint8_t" if max(blocks) < 256 else "uint16_t", "k%sBlocks" % name, blocks)


def matching(pattern, text):
    """The code points that a pattern for one character matches."""
    split = Split(Regex(pattern), "removed", invert=True)
    return [ord(c) for piece, _ in split.pre_tokenize_str(text) for c in piece]


def categories(text):
    values = [0] * LIMIT
    for number, name in enumerate(CATEGORIES):
        for c in matching(r"\p{%s}" % name, text) if number else []:
            assert values[c] == 0, hex(c)
            values[c] = number
    unassigned = set(matching(r"\p{Cn}", text))
    assert all((values[c] == 0) == (c in unassigned) for c in code_points())
    spaces = set(matching(r"\s", text))
    assert spaces == {c for c in code_points() if CATEGORIES[values[c]][0] == "Z"} | {9, 10, 11, 12, 13, 0x85}, "spaces"
    return values


def scripts(text):
    """Numbers of scripts as the UnicodeScripts pre-tokenizer tells them apart; 0 goes with any other."""
    split = UnicodeScripts().pre_tokenize_str
    apart = lambda a, b: len(split(a + b)) == 2
    known = ["a"]
    values = [0] * LIMIT
    previous, number = None, None
    for c in code_points():
        s = chr(c)
        if previous is not None and not apart(previous, s) and c & 1023:
            same = number != 0 and any(apart(s, k) for k in known[:2])
            if same:
                values[c] = number
                continue
        if not any(apart(s, other) for other in ("a", "я", "中")):
            number = 0
        else:
            number = next((i + 1 for i, k in enumerate(known) if not apart(s, k)), None)
            if number is None:
                known.append(s)
                number = len(known)
        values[c] = number
        previous = s
    return values


def charsmap(key):
    """A charsmap that maps one string to X: a Darts trie of one key, then the replacement."""
    units = [0] * 1024
    position, data = 0, key.encode()
    for depth, byte in enumerate(data):
        position ^= byte
        target = 256 * (depth % 3 + 1) if depth + 1 < len(data) else 1023
        offset = position ^ target
        leaf = 1 if depth + 1 == len(data) else 0
        units[position] = offset << 10 | leaf << 8 | byte
        position = target
    units[1023] = 0x80000000
    return struct.pack("<I", len(units) * 4) + struct.pack("<1024I", *units) + b"X\0"


def swallows(key, follower):
    """Whether the package sees key + follower as one grapheme (possible to ask below 6 bytes)."""
    out = Precompiled(charsmap(key)).normalize_str(key + follower)
    assert out in ("X", "X" + follower), (key, follower, out)
    return out == "X"


def ends_cluster(c):
    """Whether the package begins a new grapheme behind c: two marks there are one of 4 bytes, of which the map sees the first."""
    out = Precompiled(charsmap("\u0301")).normalize_str(c + "\u0301\u0301")
    assert out in (c + "X", c + "XX"), (c, out)
    return out == c + "X"


def graphemes():
    values = [OTHER] * LIMIT
    after_a = Precompiled(charsmap("a")).normalize_str
    find = lambda name: {c for c in code_points() if regex.fullmatch(r"\p{%s}" % name, chr(c))}
    spacing, prepend, pictographic, control = map(find, ("GCB=SpacingMark", "GCB=Prepend", "ExtPict", "GCB=Control"))
    for c in code_points():
        if c and after_a("a" + chr(c)) == "X":
            values[c] = SPACING if c in spacing else ZWJ if c == 0x200D else EXTEND
    for c in prepend:
        if swallows(chr(c), "a"):
            values[c] = PREPEND
    for c in pictographic:
        follows = Precompiled(charsmap("\u00ae")).normalize_str("\u00ae\u200d" + chr(c))
        shown = "X" if c == 0xAE else chr(c)
        if follows == "X\u200d" + shown:
            values[c] = PICTOGRAPHIC
        else:
            assert follows == "X" + shown, hex(c)
    for c in control:
        if values[c] == OTHER and c and ends_cluster(chr(c)):
            values[c] = CONTROL
    values[0] = CONTROL
    values[13], values[10] = CR, LF
    for first, last, kind in ((0x1100, 0x115F, LEAD), (0xA960, 0xA97C, LEAD), (0x1160, 0x11A7, VOWEL), (0xD7B0, 0xD7C6, VOWEL),
                              (0x11A8, 0x11FF, TRAIL), (0xD7CB, 0xD7FB, TRAIL), (0x1F1E6, 0x1F1FF, REGIONAL)):
        for c in range(first, last + 1):
            values[c] = kind
    for c in HANGUL:
        values[c] = LVT if (c - 0xAC00) % 28 else LV
    return values


def compositions():
    """(first, second, whole), sorted: the pairs that NFC joins, Hangul aside."""
    nfc, nfd = NFC().normalize_str, NFD().normalize_str
    triples = []
    for c in code_points():
        parts = nfd(chr(c))
        if c in HANGUL or len(parts) < 2 or nfc(chr(c)) != chr(c):
            continue
        first, second = nfc(parts[:-1]), parts[-1]
        if len(first) == 1 and nfc(first + second) == chr(c):
            triples.append((ord(first), ord(second), c))
        else:
            assert nfc(parts) != chr(c), hex(c)
    return sorted(triples)


def emit_differences(values):
    """Where the oracle's categories are not those of Unicode 14, which PCRE2 has."""
    assert unicodedata.unidata_version == "14.0.0"
    ranges = []
    for c in code_points():
        old = unicodedata.category(chr(c))
        if old == CATEGORIES[values[c]]:
            continue
        if ranges and ranges[-1][1] == c - 1 and ranges[-1][2:] == [CATEGORIES.index(old), values[c]]:
            ranges[-1][1] = c
        else:
            ranges.append([c, c, CATEGORIES.index(old), values[c]])
    print("inline constexpr CategoryChange kCategoryChanges[%d] = {" % len(ranges))
    for r in ranges:
        print("{%d,%d,Category(%d),Category(%d)}," % tuple(r))
    print("};")
    print(len(ranges), "ranges differ from Unicode 14;", [r for r in ranges if r[2]], file=sys.stderr)


def ranges_of(found):
    ranges = []
    for c in sorted(found):
        if ranges and ranges[-1][1] == c - 1:
            ranges[-1][1] = c
        else:
            ranges.append([c, c])
    return ranges


def emit_ranges(name, found):
    ranges = ranges_of(found)
    print("inline constexpr CharSpan k%s[%d] = {" % (name, len(ranges)))
    for r in ranges:
        print("{%d,%d}," % tuple(r))
    print("};")


def emit_letters(values, text):
    """The members of [:alpha:], [:lower:] and [:upper:] that are of none of the categories that belong there as a whole."""
    for name, whole in (("alpha", "Lu Ll Lt Lm Lo Nl"), ("lower", "Ll"), ("upper", "Lu")):
        whole = {CATEGORIES.index(k) for k in whole.split()}
        found = set(matching("[[:%s:]]" % name, text))
        assert found >= {c for c in code_points() if values[c] in whole}
        emit_ranges("Further" + name.capitalize(), {c for c in found if values[c] not in whole})


def emit_script_additions(values):
    """The characters of each script, by its names, that Unicode 14 does not have in it."""
    newer = [c for c in code_points() if unicodedata.category(chr(c)) != CATEGORIES[values[c]]]
    text = "".join(map(chr, newer))
    additions, names = [], []
    for name in sorted(regex._regex_core.PROPERTIES["SCRIPT"][1]):
        try:
            found = matching(r"\p{%s}" % name, text)
        except Exception:
            continue  # no script of the package's expressions
        names.append(name)
        additions += [(a, b, name) for a, b in ranges_of(found)]
    print("inline constexpr ScriptAddition kScriptAdditions[%d] = {" % len(additions))
    for first, last, name in additions:
        print('{%d,%d,"%s"},' % (first, last, name))
    print("};")
    print("inline constexpr std::string_view kScriptNames[%d] = {" % len(names))
    print(",\n".join('"%s"' % name for name in names) + "};")


def main():
    text = "".join(map(chr, code_points()))
    print("// Generated by tools/make_category_tables.py from the answers of tokenizers %s; do not edit." % tokenizers.__version__)
    print("// clang-format off")
    values = categories(text)
    emit_table("Category", values)
    emit_differences(values)
    emit_letters(values, text)
    emit_script_additions(values)
    emit_table("Script", scripts(text))
    emit_table("Grapheme", graphemes())
    nfd, nfkd, nfkc = NFD().normalize_str, NFKD().normalize_str, NFKC().normalize_str
    nfc = NFC().normalize_str
    compatible = {c: nfkd(chr(c)) for c in code_points() if c not in HANGUL and nfkd(chr(c)) != nfd(chr(c))}
    emit_mapping("Compatible", compatible)
    triples = compositions()
    assert all(nfkc(chr(c)) == nfc(nfkd(chr(c))) for c in code_points())
    print("inline constexpr Composition kCompositions[%d] = {" % len(triples))
    for t in triples:
        print("{%d,%d,%d}," % t)
    print("};")
    print("// clang-format on")
    print(len(compatible), "compatible,", len(triples), "compositions", file=sys.stderr)


if __name__ == "__main__":
    main()
