"""Writes SentencePiece's .model files, and trains what goes into them with the `tokenizers` package."""
import struct

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = range(1, 7)
UNIGRAM, BPE = 1, 2


def varint(value):
    value &= (1 << 64) - 1
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def number(field, value):
    return varint(field << 3) + varint(value)


def content(field, value):
    value = value.encode() if isinstance(value, str) else value
    return varint(field << 3 | 2) + varint(len(value)) + value


def model(pieces, kind=UNIGRAM, unk_id=0, byte_fallback=False, char_map=b"", unk_piece="<unk>"):
    """`pieces`: (text, score, type) in the order of their ids."""
    out = b""
    for text, score, piece_type in pieces:
        piece = content(1, text) + varint(2 << 3 | 5) + struct.pack("<f", score)
        if piece_type != NORMAL:
            piece += number(3, piece_type)
        out += content(1, piece)
    trainer = number(3, kind) + number(40, unk_id) + number(41, 1) + number(42, 2) + content(45, unk_piece)
    if byte_fallback:
        trainer += number(35, 1)
    normalizer = content(1, "test") + (content(2, char_map) if char_map else b"") + number(3, 1)
    return out + content(2, trainer) + content(3, normalizer) + content(99, "a field to pass over")
