"""The engines that gamut is measured against: functions from a checkpoint folder to one that runs a forward pass.

All run in f32 on the given number of threads, with static shapes where the engine profits from them.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

Inputs = dict[str, np.ndarray]
Forward = Callable[[], np.ndarray]


def make_inputs(batch: int, tokens: int, vocab: int) -> Inputs:
    """The same tokens for every engine: unpadded rows, as `gamut bench` runs them."""
    ids = np.random.default_rng(0).integers(1, vocab, (batch, tokens))
    return {"input_ids": ids, "attention_mask": np.ones_like(ids)}


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


def pytorch(folder: Path, inputs: Inputs, threads: int) -> Forward:
    import torch

    torch.set_num_threads(threads)
    model, tensors = torch_model(folder), torch_inputs(inputs)

    def forward() -> np.ndarray:
        with torch.inference_mode():
            return model(**tensors).last_hidden_state.numpy()

    return forward


def openvino(folder: Path, inputs: Inputs, threads: int) -> Forward:
    import openvino as ov

    tensors = torch_inputs(inputs)
    shapes = [(name, list(value.shape)) for name, value in inputs.items()]
    model = ov.convert_model(first_output(torch_model(folder)), example_input=tensors, input=shapes)
    options = {
        "INFERENCE_PRECISION_HINT": "f32",
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": "1",
        "INFERENCE_NUM_THREADS": str(threads),
    }
    request = ov.Core().compile_model(model, "CPU", options).create_infer_request()
    return lambda: request.infer(inputs, share_inputs=True, share_outputs=True)[0]


def onnxruntime(folder: Path, inputs: Inputs, threads: int) -> Forward:
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = ort.InferenceSession(str(onnx_file(folder, inputs)), options, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, inputs)[0]


def onnx_file(folder: Path, inputs: Inputs) -> Path:
    """The checkpoint as an ONNX file of these shapes, exported once."""
    import torch

    batch, tokens = inputs["input_ids"].shape
    path = folder / f"onnx_{batch}x{tokens}" / "model.onnx"
    if not path.is_file():
        unfinished = path.parent.with_name(f"{path.parent.name}.unfinished.{os.getpid()}")
        unfinished.mkdir(parents=True)
        arguments = tuple(torch_inputs(inputs).values())
        model = first_output(torch_model(folder))
        program = torch.onnx.export(model, arguments, input_names=list(inputs), dynamo=True, verbose=False)
        program.save(str(unfinished / "model.onnx"), external_data=True)
        unfinished.rename(path.parent)
    return path


PEERS: dict[str, Callable[[Path, Inputs, int], Forward]] = {
    "openvino": openvino,
    "onnxruntime": onnxruntime,
    "pytorch": pytorch,
}
