#!/usr/bin/env python3
"""Writes src/text/unicode_tables.inc by asking the `tokenizers` package about every code point.

The package links several Unicode libraries of different versions, so its answers are the only reliable definition of
what a published tokenizer does. Usage: tools/make_unicode_tables.py > src/text/unicode_tables.inc
"""
import sys
import unicodedata

import tokenizers
from tokenizers import AddedToken, Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import NFD, BertNormalizer, Lowercase, Nmt, StripAccents
from tokenizers.pre_tokenizers import BertPreTokenizer, Digits, Punctuation, Whitespace, WhitespaceSplit

LIMIT = 0x110000
BLOCK = 128
CONTROL, CLEAN_SPACE, CHINESE, NONSPACING, WHITESPACE, PUNCTUATION, WORD, DECOMPOSES, LOWERCASES = (1 << i for i in range(9))
NUMERIC, MARK, NMT_REMOVED, NMT_SPACE = (1 << i for i in range(9, 13))
HANGUL = range(0xAC00, 0xD7A4)


def code_points():
    return (c for c in range(LIMIT) if not 0xD800 <= c < 0xE000)


def bert(**on):
    options = dict(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=False)
    options.update(on)
    return BertNormalizer(**options).normalize_str


def added_token_lengths(token, characters):
    """Length of the match of `token` ("\\u0001") in "\\u0001c" for each character c; 0 where it does not match."""
    tokenizer = Tokenizer(WordPiece({"[UNK]": 0}, unk_token="[UNK]"))
    tokenizer.add_tokens([token])
    id_ = tokenizer.token_to_id(token.content)
    lengths = {}
    for at in range(0, len(characters), 512):
        part = characters[at : at + 512]
        encoding = tokenizer.encode("".join(token.content + chr(c) + "." for c in part))
        found = {o[0]: o[1] - o[0] for i, o in zip(encoding.ids, encoding.offsets) if i == id_}
        for k, c in enumerate(part):
            lengths[c] = found.get(3 * k, 0)
    return lengths


def flags_of_other_parts(c, bert_flags):
    """What the parts other than BERT's make of a character; where they agree with BERT's there is no flag for it."""
    s, flags = chr(c), 0
    pieces = lambda part: len(part.pre_tokenize_str("a" + s + "b"))
    if pieces(Digits()) == 3:
        flags |= NUMERIC
    if not StripAccents().normalize_str(s):
        flags |= MARK
    nmt = Nmt().normalize_str(s)
    if nmt != s or s == " ":
        flags |= NMT_SPACE if nmt else NMT_REMOVED
        assert nmt in ("", " "), hex(c)
    assert (pieces(Punctuation()) == 3) == bool(bert_flags & PUNCTUATION), hex(c)
    words = [w for w, _ in WhitespaceSplit().pre_tokenize_str("a" + s + "b")]
    assert (words == ["a", "b"]) == bool(bert_flags & WHITESPACE), hex(c)
    words = [w for w, _ in Whitespace().pre_tokenize_str("a" + s + "b")]
    kind = 0 if bert_flags & WHITESPACE else 1 if bert_flags & WORD else 2
    assert words == (["a", "b"], ["a" + s + "b"], ["a", s, "b"])[kind], hex(c)
    return flags


def flags_of_all(decompositions, lowercase):
    clean, chinese, strip = bert(clean_text=True), bert(handle_chinese_chars=True), bert(strip_accents=True)
    pre_tokenize = BertPreTokenizer().pre_tokenize_str
    flags = [0] * LIMIT
    for c in code_points():
        s, f = chr(c), 0
        cleaned = clean(s)
        if cleaned != s:
            assert cleaned in ("", " "), hex(c)
            f |= CLEAN_SPACE if cleaned else CONTROL
        elif c == 0x20:
            f |= CLEAN_SPACE
        spaced = chinese(s)
        if spaced != s:
            assert spaced == " %s " % s, hex(c)
            f |= CHINESE
        if c in decompositions:
            f |= DECOMPOSES
        elif c not in HANGUL:
            stripped = strip(s)
            assert stripped in ("", s), hex(c)
            f |= 0 if stripped else NONSPACING
        words = [w for w, _ in pre_tokenize("a" + s + "b")]
        if words == ["a", "b"]:
            f |= WHITESPACE
        elif words == ["a", s, "b"]:
            f |= PUNCTUATION
        else:
            assert words == ["a" + s + "b"], hex(c)
        if c in lowercase:
            f |= LOWERCASES
        flags[c] = f
    others = [c for c in code_points() if c != 1]
    single = added_token_lengths(AddedToken("\x01", single_word=True, normalized=False), others)
    spaces = added_token_lengths(AddedToken("\x01", rstrip=True, normalized=False), others)
    for c in others:
        if not single[c]:
            flags[c] |= WORD
        assert (spaces[c] == 2) == bool(flags[c] & WHITESPACE), hex(c)
        flags[c] |= flags_of_other_parts(c, flags[c])
    flags[1] |= flags_of_other_parts(1, flags[1])  # stood for the added token above; no word character
    return flags


def combining_classes(decompositions):
    """Orders the characters that canonical reordering moves, by how they sort against known representatives."""
    nfd = NFD().normalize_str
    low, high = "\u0334", "\u0345"  # the lowest and the highest class
    moves = lambda s: nfd(s + low) != s + low or nfd(high + s) != high + s
    representatives = {}
    for c in code_points():
        k = unicodedata.combining(chr(c))
        if k and c not in decompositions and k not in representatives and moves(chr(c)):
            representatives[k] = chr(c)
    ordered = sorted(representatives)
    for a, b in zip(ordered, ordered[1:]):  # the oracle orders the representatives themselves likewise
        x, y = representatives[a], representatives[b]
        assert nfd(y + x) == x + y and nfd(x + y) == x + y, (a, b)
    classes = {}
    for c in code_points():
        if c in decompositions or c in HANGUL:
            continue
        s = chr(c)
        if not moves(s):
            continue
        above = [k for k in ordered if nfd(s + representatives[k]) != s + representatives[k]]  # classes below ours
        not_below = [k for k in ordered if nfd(representatives[k] + s) == representatives[k] + s]  # at most ours
        assert len(not_below) == len(above) + 1, hex(c)
        classes[c] = not_below[-1]
    return classes


def check_hangul():
    nfd = NFD().normalize_str
    for c in HANGUL:
        i = c - 0xAC00
        parts = [0x1100 + i // 588, 0x1161 + i % 588 // 28] + ([0x11A7 + i % 28] if i % 28 else [])
        assert [ord(x) for x in nfd(chr(c))] == parts


def two_stage(values):
    blocks, index = [], []
    for at in range(0, LIMIT, BLOCK):
        block = tuple(values[at : at + BLOCK])
        if block not in blocks:
            blocks.append(block)
        index.append(blocks.index(block))
    assert len(blocks) <= 256
    return index, [v for block in blocks for v in block]


def emit(kind, name, values):
    print("inline constexpr %s %s[%d] = {" % (kind, name, len(values)))
    line = ""
    for v in values:
        item = "%d," % v
        if len(line) + len(item) > 118:
            print(line)
            line = ""
        line += item
    print(line)
    print("};")


def emit_mapping(name, mapping):
    """One pool of [length, code points...]; each character that maps holds its place in the pool, the others 0."""
    pool, values = [0], [0] * LIMIT
    for c in sorted(mapping):
        values[c] = len(pool)
        pool += [len(mapping[c])] + [ord(x) for x in mapping[c]]
    assert len(pool) < 65536
    index, blocks = two_stage(values)
    emit("uint8_t", "k%sIndex" % name, index)
    emit("uint16_t", "k%sBlocks" % name, blocks)
    emit("char32_t", "k%sPool" % name, pool)


def main():
    nfd, lower = NFD().normalize_str, bert(lowercase=True)
    check_hangul()
    decompositions = {c: nfd(chr(c)) for c in code_points() if c not in HANGUL and nfd(chr(c)) != chr(c)}
    lowercase = {c: lower(chr(c)) for c in code_points() if lower(chr(c)) != chr(c)}
    assert all(Lowercase().normalize_str(chr(c)) == lowercase.get(c, chr(c)) for c in code_points())
    flags = flags_of_all(decompositions, lowercase)
    classes = combining_classes(decompositions)
    keys = [(flags[c], classes.get(c, 0)) for c in range(LIMIT)]
    kinds = sorted(set(keys))
    assert len(kinds) <= 256
    number = {k: i for i, k in enumerate(kinds)}
    print("// Generated by tools/make_unicode_tables.py from the answers of tokenizers %s; do not edit." % tokenizers.__version__)
    print("// clang-format off")
    print("inline constexpr CharClass kClasses[%d] = {" % len(kinds))
    for f, k in kinds:
        print("{%d,%d}," % (f, k))
    print("};")
    index, blocks = two_stage([number[k] for k in keys])
    emit("uint8_t", "kClassIndex", index)
    emit("uint8_t", "kClassBlocks", blocks)
    emit_mapping("Decomposition", decompositions)
    emit_mapping("Lowercase", lowercase)
    print("// clang-format on")
    print(len(kinds), "classes,", len(decompositions), "decompositions,", len(lowercase), "lowercase", file=sys.stderr)


if __name__ == "__main__":
    main()
