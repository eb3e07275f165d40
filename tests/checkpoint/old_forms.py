"""Checkpoints that today's PyTorch still reads and no longer writes, put together opcode by opcode."""

from __future__ import annotations

import io
import pickle
import struct
import tarfile

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
SYSTEM = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}


def text(value: str) -> bytes:
    """BINUNICODE."""
    raw = value.encode()
    return b"X" + struct.pack("<I", len(raw)) + raw


def python2_text(value: str) -> bytes:
    """SHORT_BINSTRING."""
    return b"U" + bytes([len(value)]) + value.encode()


def integer(value: int) -> bytes:
    return b"J" + struct.pack("<i", value)


def long(value: int) -> bytes:
    """LONG1."""
    raw = value.to_bytes((value.bit_length() + 8) // 8, "little", signed=True)
    return b"\x8a" + bytes([len(raw)]) + raw


def name(module: str, what: str) -> bytes:
    """GLOBAL."""
    return f"c{module}\n{what}\n".encode()


def tuple_of(*items: bytes) -> bytes:
    return b"(" + b"".join(items) + b"t"


def call(function: bytes, *arguments: bytes) -> bytes:
    return function + tuple_of(*arguments) + b"R"


def storage(kind: str, key: str, count: int, view: bytes = b"N", spell=text) -> bytes:
    return tuple_of(spell("storage"), name("torch", kind), spell(key), spell("cpu"), integer(count), view) + b"Q"


def program(body: bytes) -> bytes:
    return b"\x80\x02" + body + b"."


def raw_file(body: bytes, storages: dict[str, tuple[int, bytes]]) -> bytes:
    """The form of 0.1.11 to 1.5."""
    out = b"".join(pickle.dumps(part, protocol=2) for part in (MAGIC, PROTOCOL, SYSTEM))
    out += program(body) + pickle.dumps(list(storages), protocol=2)
    return out + b"".join(struct.pack("<q", count) + data for count, data in storages.values())


def floats(*values: float) -> bytes:
    return struct.pack(f"<{len(values)}f", *values)


def old_functions() -> bytes:
    """_rebuild_tensor, views of storages, a tensor class that gets its state, a parameter made by NEWOBJ."""
    size, stride = tuple_of(integer(2), integer(2)), tuple_of(integer(2), integer(1))
    whole = storage("FloatStorage", "7", 6)
    part = storage("FloatStorage", "7", 6, tuple_of(text("8"), integer(1), integer(4)))
    first = call(name("torch._utils", "_rebuild_tensor"), whole, integer(2), size, stride)
    second = call(name("torch._utils", "_rebuild_tensor"), part, integer(0), call(name("torch", "Size"), size), stride)
    state = tuple_of(whole, integer(0), tuple_of(long(3)), tuple_of(integer(2)))
    third = name("torch", "FloatTensor") + b")\x81" + state + b"b"
    fourth = name("torch.nn.parameter", "Parameter") + tuple_of(second, b"\x88") + b"\x81"
    body = b"}(" + text("a") + first + text("b") + second + text("c") + third + text("d") + fourth + b"u"
    return raw_file(body, {"7": (6, floats(1, 2, 3, 4, 5, 6))})


def python2() -> bytes:
    """Texts of Python 2, and a dict that is made of a list of pairs."""
    flags = (b"\x89", call(name("collections", "OrderedDict"), b"](" + b"e"))
    tensor = call(name("torch._utils", "_rebuild_tensor_v2"), storage("LongStorage", "0", 2, spell=python2_text),
                  integer(0), tuple_of(integer(2)), tuple_of(integer(1)), *flags)  # fmt: skip
    pair = b"](" + python2_text("weight") + tensor + b"e"
    return raw_file(call(name("collections", "OrderedDict"), b"](" + pair + b"e"), {"0": (2, struct.pack("<2q", 5, -6))})


def tar() -> bytes:
    """The form before 0.1.11: storages 1 and 2, a view of the first, three tensors; extended headers with times."""
    storages = pickle.dumps(2, protocol=2)
    for key, kind, count, data in ((1, "FloatStorage", 4, floats(1, 2, 3, 4)), (2, "LongStorage", 2, struct.pack("<2q", 8, 9))):
        storages += program(tuple_of(integer(key), text("cpu"), name("torch", kind))) + struct.pack("<q", count) + data
    storages += pickle.dumps([(3, 1, 1, 2)], protocol=2)
    tensors = pickle.dumps(3, protocol=2)
    for key, root, kind, size, stride, offset in (
        (10, 1, "FloatTensor", (2, 2), (1, 2), 0), (11, 2, "LongTensor", (2,), (1,), 0), (12, 3, "FloatTensor", (2,), (1,), 0),
    ):  # fmt: skip
        tensors += program(tuple_of(integer(key), integer(root), name("torch", kind)))
        tensors += struct.pack(f"<ii{2 * len(size)}qq", len(size), 0, *size, *stride, offset)
    body = b"}(" + b"".join(text(key) + text(id) + b"Q" for key, id in (("x", "10"), ("y.z", "11"), ("part", "12"))) + b"u"
    members = {"sys_info": pickle.dumps(SYSTEM, protocol=2), "pickle": program(body), "tensors": tensors, "storages": storages}
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:", format=tarfile.PAX_FORMAT) as archive:
        for member, data in members.items():
            info = tarfile.TarInfo(member)
            info.size, info.mtime = len(data), 1.5
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def files() -> dict[str, bytes]:
    return {"raw_old_functions": old_functions(), "raw_python2": python2(), "tar_tensors": tar()}
