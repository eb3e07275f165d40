#!/usr/bin/env python3
"""Checkpoints of PyTorch in every form that it has had, and whether gamut reads of them what PyTorch reads.

    fixtures.py make               writes fixtures/NAME.bin and, with the values of torch.load, NAME.safetensors
    fixtures.py seeds              writes the seeds of the fuzzers in fuzz/corpus
    fixtures.py check GAMUT [-n N] converts each fixture, and N random state dicts, with `gamut convert` and compares them
                                   with torch.load(weights_only=True), bit by bit
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import zipfile
from collections import OrderedDict
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

import old_forms

FOLDER = Path(__file__).resolve().parent / "fixtures"
SEEDS = Path(__file__).resolve().parents[2] / "fuzz" / "corpus"
WRAPPERS = ("state_dict", "model_state_dict", "model", "module")
DTYPES = [torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8,
          torch.uint8, torch.bool, torch.complex64, torch.uint16, torch.uint32, torch.uint64, torch.float8_e4m3fn,
          torch.float8_e5m2, torch.float8_e4m3fnuz, torch.float8_e5m2fnuz, torch.float8_e8m0fnu]  # fmt: skip
OLD_DTYPES = DTYPES[:11]  # those with a storage class of their own


def values(dtype: torch.dtype, *shape: int, seed: int = 0) -> torch.Tensor:
    """Random bits, so that every bit is compared; truth values are 0 and 1."""
    generator = torch.Generator().manual_seed(seed)
    count = torch.Size(shape).numel() * dtype.itemsize
    raw = torch.randint(0, 2 if dtype == torch.bool else 256, (count,), generator=generator, dtype=torch.uint8)
    return raw.view(dtype).reshape(shape)


def dtypes(of: list[torch.dtype]) -> dict:
    return {str(dtype): values(dtype, 2, 3, seed=i) for i, dtype in enumerate(of)}


def views() -> dict:
    base = values(torch.float32, 6, 10)
    cube = values(torch.int16, 3, 4, 5)
    return {
        "base": base, "tied": base, "transposed": base.t(), "rows": base[2:4], "columns": base[:, 3:7],
        "steps": base[::2, 1::3], "last": base[5, 9], "expanded": base[:1].expand(3, 10), "diagonal": base[:, :6].diagonal(),
        "flat": base.view(-1), "permuted": cube.permute(2, 0, 1), "one": cube[:, 1:2, :], "reshaped": cube.view(12, 5),
        "empty": torch.zeros(0, 4), "scalar": torch.tensor(7.5), "empty_view": base[3:3], "wide": base.view(2, 3, 10).transpose(0, 2),
    }  # fmt: skip


def modules() -> dict:
    torch.manual_seed(1)
    model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.BatchNorm1d(3), torch.nn.Linear(3, 4))
    model[2].bias = torch.nn.Parameter(model[0].weight.detach()[0])
    return model.state_dict()  # an OrderedDict with _metadata


def parameters() -> dict:
    plain = torch.nn.Parameter(values(torch.float32, 3, 2), requires_grad=False)
    marked = torch.nn.Parameter(torch.arange(4.0))
    marked.note = "an attribute"
    tensor = torch.arange(5.0)
    tensor.note = {"a": 1}
    return {"plain": plain, "marked": marked, "tensor": tensor, "buffer": torch.nn.Buffer(torch.ones(2))}


def nested() -> dict:
    inner = {"weight": values(torch.float16, 2, 2), "bias": values(torch.float16, 2, seed=1)}
    return {"encoder": {"layer": {0: inner, 1: OrderedDict(inner)}}, "head": values(torch.float32, 3)}


def training() -> dict:
    return {
        "state_dict": modules(), "epoch": 3, "loss": 0.25, "name": "größe", "schedule": [1, 2, (3, None)], "done": False,
        "optimizer": {"state": {0: {"exp_avg": torch.zeros(3)}}, "param_groups": [{"lr": 1e-3, "betas": (0.9, 0.999)}]},
        "large": 2**40, "huge": 2**80, "negative": -5, "set": {1, 2}, "bytes": b"\x00\xff", "size": torch.Size([1, 2]),
        "dtype": torch.bfloat16, "device": torch.device("cpu"),
    }  # fmt: skip


def save(name: str, content: object, *, zip_form: bool = True) -> None:
    torch.save(content, FOLDER / f"{name}.bin", _use_new_zipfile_serialization=zip_form)


def make() -> None:
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.iterdir():
        old.unlink()
    save("zip_dtypes", dtypes(DTYPES))
    save("raw_dtypes", dtypes(OLD_DTYPES), zip_form=False)
    for form, zip_form in (("zip", True), ("raw", False)):
        for name, content in (("views", views()), ("modules", modules()), ("parameters", parameters()),
                              ("nested", nested()), ("training", training())):  # fmt: skip
            save(f"{form}_{name}", content, zip_form=zip_form)
    computes = torch.serialization.get_crc32_options()
    torch.serialization.set_crc32_options(False)
    save("zip_without_crc", {"a": torch.arange(3.0)})
    torch.serialization.set_crc32_options(computes)
    for name, content in old_forms.files().items():
        (FOLDER / f"{name}.bin").write_bytes(content)
    for path in sorted(FOLDER.glob("*.bin")):
        found = {name: tensor.detach().contiguous().clone() for name, tensor in read(path).items()}
        save_file(found, path.with_suffix(".safetensors"))


def make_seeds() -> None:
    """Small files for the fuzzers, without checksums, which a mutation would break."""
    torch.serialization.set_crc32_options(False)
    two = values(torch.float32, 2, 2)
    small = {"one": {"a": two}, "views": {"a": two, "b": two.t(), "c": two[:, 1]}, "new_type": {"a": two.to(torch.uint16)},
             "parameter": {"a": torch.nn.Parameter(two)}, "wrapped": {"state_dict": {"a": two}, "epoch": 1},
             "nested": {"a": {0: OrderedDict(b=two)}}, "long": {"a": two[:0], "n": 2**80, "s": "größe", "f": 0.5}}  # fmt: skip
    folders = {name: SEEDS / name for name in ("pickle", "torch_zip", "torch_raw", "torch_tar")}
    for folder in folders.values():
        folder.mkdir(parents=True, exist_ok=True)
    for name, content in small.items():
        path = folders["torch_zip"] / name
        torch.save(content, path)
        with zipfile.ZipFile(path) as archive:
            pickled = next(member for member in archive.infolist() if member.filename.endswith("data.pkl"))
            pickled.CRC = None
            (folders["pickle"] / name).write_bytes(archive.open(pickled).read())
        if name != "new_type":
            torch.save(content, folders["torch_raw"] / name, _use_new_zipfile_serialization=False)
    for name, content in old_forms.files().items():
        if name.startswith("raw_"):
            (folders["torch_raw"] / name).write_bytes(content)
    tar = old_forms.tar()
    (folders["torch_tar"] / "tensors").write_bytes(tar[: -(-len(tar.rstrip(b"\0")) // 512) * 512 + 1024])


def read(path: Path) -> dict[str, torch.Tensor]:
    """What PyTorch reads, under gamut's names. It reads its oldest form, which only tar_* have, without weights_only; those
    files are made here.
    """
    content = torch.load(path, weights_only=not path.name.startswith("tar_"))
    inner = [key for key in WRAPPERS if isinstance(content.get(key), dict)]
    if len(inner) == 1 and not any(isinstance(value, torch.Tensor) for value in content.values()):
        content = content[inner[0]]
    return dict(flatten(content, ""))


def flatten(content: dict, prefix: str):
    for key, value in content.items():
        if isinstance(value, dict):
            yield from flatten(value, f"{prefix}{key}.")
        elif isinstance(value, torch.Tensor):
            yield f"{prefix}{key}", value


def bits(tensor: torch.Tensor) -> tuple:
    # Even one element can have a stride, which `view` refuses.
    tensor = torch.empty(tensor.shape, dtype=tensor.dtype).copy_(tensor.detach())
    return tensor.dtype, tuple(tensor.shape), tensor.reshape(-1).view(torch.uint8).numpy().tobytes() if tensor.numel() else b""


def compare(gamut: Path, name: str, files: dict[str, Path], expected: dict[str, torch.Tensor], shards: bool) -> list[str]:
    """Converts a folder of these files; what differs."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "source", Path(folder) / "target"
        source.mkdir()
        for file, path in files.items():
            (source / file).write_bytes(path.read_bytes())
        if shards:
            weight_map = {tensor: file for file, path in files.items() for tensor in read(path)}
            (source / "pytorch_model.bin.index.json").write_text(json.dumps({"weight_map": weight_map}))
        run = subprocess.run([gamut, "convert", source, "--out", target], capture_output=True, text=True)
        if run.returncode != 0:
            return [f"{name}: {run.stderr.strip()}"]
        found = load_file(target / "model.safetensors")
    problems = [f"{name}: {tensor} is missing" for tensor in expected.keys() - found.keys()]
    problems += [f"{name}: {tensor} is too many" for tensor in found.keys() - expected.keys()]
    problems += [f"{name}: {tensor} differs" for tensor in expected.keys() & found.keys()
                 if bits(expected[tensor]) != bits(found[tensor])]  # fmt: skip
    return problems


def random_tensor(pool: list[torch.Tensor], choose: random.Random, dtypes: list[torch.dtype]) -> torch.Tensor:
    """A new tensor, or a view of one that is there."""
    if not pool or choose.random() < 0.4:
        shape = [choose.choice((0, 1, 2, 3, 5, 17)) for _ in range(choose.randint(0, 4))]
        return values(choose.choice(dtypes), *shape, seed=choose.randint(0, 1 << 30))
    tensor = choose.choice(pool)
    for _ in range(choose.randint(0, 3)):
        if tensor.dim() == 0:
            break
        axis = choose.randrange(tensor.dim())
        kind = choose.randrange(4)
        if kind == 0:
            tensor = tensor.transpose(axis, choose.randrange(tensor.dim()))
        elif kind == 1 and tensor.shape[axis] > 0:
            first = choose.randrange(tensor.shape[axis])
            tensor = tensor.narrow(axis, first, choose.randint(0, tensor.shape[axis] - first))
        elif kind == 2:
            tensor = tensor[(slice(None),) * axis + (slice(None, None, choose.randint(1, 3)),)]
        else:
            tensor = tensor.unsqueeze(axis).expand(*tensor.shape[:axis], choose.randint(1, 3), *tensor.shape[axis:])
    return tensor


def check_random(gamut: Path, count: int) -> list[str]:
    problems = []
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(count):
            choose = random.Random(seed)
            zip_form = choose.random() < 0.6
            files, expected, pool = {}, {}, []
            shards = choose.choice((1, 1, 2, 3))
            for shard in range(shards):
                content = {}
                for i in range(choose.randint(1, 12)):
                    pool.append(random_tensor(pool, choose, DTYPES if zip_form else OLD_DTYPES))
                    content[f"shard{shard}.tensor{i}"] = pool[-1]
                path = Path(folder) / f"{seed}-{shard}.bin"
                torch.save(content, path, _use_new_zipfile_serialization=zip_form)
                name = "pytorch_model.bin" if shards == 1 else f"pytorch_model-{shard}.bin"
                files[name] = path
                expected |= read(path)
            problems += compare(gamut, f"random {seed}", files, expected, shards > 1)
    return problems


def check(gamut: Path, count: int) -> int:
    problems = []
    paths = sorted(FOLDER.glob("*.bin"))
    for path in paths:
        expected = read(path)
        stored = load_file(path.with_suffix(".safetensors"))
        if {name: bits(tensor) for name, tensor in expected.items()} != {name: bits(t) for name, t in stored.items()}:
            problems.append(f"{path.name}: torch.load no longer reads what is committed")
        problems += compare(gamut, path.name, {"pytorch_model.bin": path}, expected, False)
    problems += check_random(gamut, count)
    print("\n".join(problems) or f"{len(paths)} fixtures and {count} random checkpoints, all bits equal")
    return 1 if problems else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("make")
    commands.add_parser("seeds")
    checks = commands.add_parser("check")
    checks.add_argument("gamut", type=Path)
    checks.add_argument("-n", "--count", type=int, default=100)
    arguments = parser.parse_args()
    if arguments.command != "check":
        make() if arguments.command == "make" else make_seeds()
        return 0
    return check(arguments.gamut.resolve(), arguments.count)


if __name__ == "__main__":
    sys.exit(main())
