"""What the measurements have to reach: one row per goal, for one run at 2 threads: the median over
its rounds, of peak memory the most.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Goal:
    """A bound on one figure of a scenario; an aim is what would be good beyond it."""

    scenario: str
    figure: str  # a key of Report.figures
    what: str
    limit: float
    unit: str = "x"
    at_least: bool = True
    aim: float | None = None

    def met(self, value: float, bound: float | None = None) -> bool:
        bound = self.limit if bound is None else bound
        return value >= bound if self.at_least else value <= bound

    def verdict(self, value: float, detail: str) -> str:
        """Such as "goal best peer / gamut >= 1.00 x: met, 1.08 x (openvino); aim 1.10 x: not reached"."""
        sign = ">=" if self.at_least else "<="
        text = f"goal {self.what} {sign} {self.limit:.2f} {self.unit}: "
        text += f"{'met' if self.met(value) else 'MISSED'}, {value:.2f} {self.unit}"
        text += f" ({detail})" if detail else ""
        if self.aim is not None:
            text += f"; aim {self.aim:.2f} {self.unit}: {'' if self.met(value, self.aim) else 'not '}reached"
        return text


BEST = {"figure": "best_peer", "what": "best peer / gamut"}
MEBIBYTES = {"unit": "MiB", "at_least": False}

GOALS = [
    Goal("bert-base-1x128", **BEST, limit=1.0, aim=1.1),
    Goal("bert-base-8x128", **BEST, limit=1.0, aim=1.05),
    Goal("minilm-1x16", **BEST, limit=1.5),
    Goal("minilm-ragged", **BEST, limit=2.0),
    *(
        Goal(f"openvino-{shape}", figure="best_peer", what="openvino's own way / gamut", limit=0.97)
        for shape in ("bert-base-1x128", "bert-base-8x128", "bert-base-1x128-bf16", "bert-base-8x128-bf16", "minilm-1x128")
    ),
    Goal("openvino-load", figure="converted", what="conversion and compilation / gamut's first time", limit=4.0),
    Goal("openvino-load", figure="cached_ir", what="cached IR / gamut", limit=1.0),
    Goal("openvino-memory", figure="cached_ir", what="gamut / cached IR", limit=1.1, at_least=False),
    Goal("matmul", figure="share", what="share of the measured peak", limit=88, unit="%"),
    Goal("start-up", figure="onnxruntime", what="onnxruntime / gamut", limit=1.0),
    Goal("start-up", figure="sentence-transformers", what="sentence-transformers / gamut", limit=5.0),
    Goal("torch-file-open", figure="torch", what="torch.load(mmap=True) / gamut", limit=1.0),
    Goal("torch-file-read", figure="torch", what="torch.load(mmap=True) / gamut", limit=1.0),
    Goal("torch-file-memory", figure="torch", what="torch.load(mmap=True) / gamut", limit=1.0),
    Goal("memory", figure="above_file", what="peak memory above the file's size", limit=40, **MEBIBYTES),
]
