"""The engines that gamut is measured against: functions from a checkpoint folder to one that runs a batch.

All run on the given number of threads, called through their Python packages, in f32; OpenVINO also in bf16. An engine
for one shape is told so and may specialise; an engine for several is built once with dynamic shapes.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models import cache_folder

Inputs = dict[str, np.ndarray]
Run = Callable[[Inputs], np.ndarray]
SORTED_BATCH_ROWS = 8


@dataclass(frozen=True)
class Batch:
    """Some rows of the workload, padded to the longest of them."""

    rows: list[int]
    inputs: Inputs


def make_rows(lengths: list[int], vocab: int) -> list[np.ndarray]:
    """Token ids, the same for every engine."""
    random = np.random.default_rng(0)
    return [random.integers(1, vocab, length) for length in lengths]


def make_batch(token_rows: list[np.ndarray], chosen: list[int]) -> Batch:
    ids = np.zeros((len(chosen), max(len(token_rows[row]) for row in chosen)), np.int64)
    mask = np.zeros_like(ids)
    for place, row in enumerate(chosen):
        ids[place, : len(token_rows[row])] = token_rows[row]
        mask[place, : len(token_rows[row])] = 1
    return Batch(chosen, {"input_ids": ids, "attention_mask": mask})


def make_batches(token_rows: list[np.ndarray], way: str) -> list[Batch]:
    """The workload in the given way of batching: "padded", all rows in one batch, or "sorted", rows of similar length
    together, so that little is padded.
    """
    everything = list(range(len(token_rows)))
    if way == "padded":
        return [make_batch(token_rows, everything)]
    by_length = sorted(everything, key=lambda row: len(token_rows[row]))
    groups = [by_length[i : i + SORTED_BATCH_ROWS] for i in range(0, len(by_length), SORTED_BATCH_ROWS)]
    return [make_batch(token_rows, group) for group in groups]


def torch_model(folder: Path):
    import torch
    import transformers

    config = transformers.AutoConfig.from_pretrained(folder)
    head = getattr(transformers, config.architectures[0])
    return head.from_pretrained(folder, dtype=torch.float32).eval()


def torch_inputs(inputs: Inputs) -> dict:
    import torch

    return {name: torch.from_numpy(value) for name, value in inputs.items()}


def first_output(model):
    """The model as exporters want it: inputs by position, last_hidden_state alone as output."""
    import torch

    class FirstOutput(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, input_ids, attention_mask):
            return self.model(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state

    return FirstOutput().eval()


def pytorch(folder: Path, _example: Inputs, _dynamic: bool, threads: int, _precision: str) -> Run:
    import torch

    torch.set_num_threads(threads)
    model = torch_model(folder)

    def run(inputs: Inputs) -> np.ndarray:
        with torch.inference_mode():
            return model(**torch_inputs(inputs)).last_hidden_state.numpy()

    return run


def all_outputs(model):
    """The model with inputs by position and the outputs that gamut computes, last_hidden_state first."""
    import torch

    class AllOutputs(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, input_ids, attention_mask):
            return self.model(input_ids=input_ids, attention_mask=attention_mask).to_tuple()

    return AllOutputs().eval()


def openvino_model(folder: Path, example: Inputs, dynamic: bool):
    import openvino as ov

    shapes = [(name, [-1, -1] if dynamic else list(value.shape)) for name, value in example.items()]
    return ov.convert_model(all_outputs(torch_model(folder)), example_input=torch_inputs(example), input=shapes)


def openvino(folder: Path, example: Inputs, dynamic: bool, threads: int, precision: str) -> Run:
    import openvino as ov

    model = openvino_model(folder, example, dynamic)
    options = {
        "INFERENCE_PRECISION_HINT": precision,
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": "1",
        "INFERENCE_NUM_THREADS": str(threads),
    }
    request = ov.Core().compile_model(model, "CPU", options).create_infer_request()
    return lambda inputs: request.infer(inputs, share_inputs=True, share_outputs=True)[0]


def openvino_folder() -> Path:
    return cache_folder() / "bench" / "openvino"


def openvino_file(folder: Path, example: Inputs) -> Path:
    """The checkpoint in OpenVINO's own format, in f32 and for the example's shape; made once, into the cache folder."""
    import openvino as ov

    rows, tokens = example["input_ids"].shape
    path = openvino_folder() / f"{folder.parent.name}_{folder.name}_{rows}x{tokens}" / "model.xml"
    if not path.is_file():
        unfinished = path.parent.with_name(f"{path.parent.name}.unfinished.{os.getpid()}")
        ov.save_model(openvino_model(folder, example, False), str(unfinished / path.name), compress_to_fp16=False)
        unfinished.rename(path.parent)
    return path


def onnxruntime(folder: Path, example: Inputs, dynamic: bool, threads: int, _precision: str) -> Run:
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = ort.InferenceSession(str(onnx_file(folder, example, dynamic)), options, providers=["CPUExecutionProvider"])
    return lambda inputs: session.run(None, inputs)[0]


def onnx_file(folder: Path, example: Inputs, dynamic: bool) -> Path:
    """The checkpoint as an ONNX file, of the example's shape or of any; exported once, into the cache folder."""
    rows, tokens = example["input_ids"].shape
    shape = "dynamic" if dynamic else f"{rows}x{tokens}"
    path = cache_folder() / "bench" / "onnx" / f"{folder.parent.name}_{folder.name}_{shape}" / "model.onnx"
    if not path.is_file():
        export_onnx(folder, example, dynamic, path)
    return path


def export_onnx(folder: Path, example: Inputs, dynamic: bool, path: Path) -> None:
    import torch

    unfinished = path.parent.with_name(f"{path.parent.name}.unfinished.{os.getpid()}")
    unfinished.mkdir(parents=True)
    any_shape = {0: torch.export.Dim.DYNAMIC, 1: torch.export.Dim.DYNAMIC}
    program = torch.onnx.export(
        first_output(torch_model(folder)),
        tuple(torch_inputs(example).values()),
        input_names=list(example),
        dynamo=True,
        verbose=False,
        dynamic_shapes=[any_shape] * len(example) if dynamic else None,
    )
    program.save(str(unfinished / "model.onnx"), external_data=True)
    unfinished.rename(path.parent)


PEERS: dict[str, Callable[[Path, Inputs, bool, int], Run]] = {
    "openvino": openvino,
    "onnxruntime": onnxruntime,
    "pytorch": pytorch,
}
