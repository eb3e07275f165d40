"""What a scenario found, for people and as JSON."""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from goals import GOALS

MEBIBYTE = 1 << 20
TOLERANCE = 1e-3  # speed is compared only between engines that compute the same


@dataclass(frozen=True)
class Spread:
    """A figure over the rounds."""

    median: float
    min: float
    max: float

    @staticmethod
    def of(values: Iterable[float]) -> Spread:
        values = list(values)
        return Spread(statistics.median(values), min(values), max(values))

    def text(self, digits: int) -> str:
        return f"{self.median:9.{digits}f} ({self.min:.{digits}f} to {self.max:.{digits}f})"


@dataclass(frozen=True)
class Row:
    """One engine, or one kernel: its figure, how many times gamut's figure that is, its share of the measured peak."""

    name: str
    value: Spread
    ratio: Spread | None = None
    share: Spread | None = None


@dataclass(frozen=True)
class Figure:
    """What a goal is about, and a word on where it comes from."""

    value: float
    detail: str = ""


@dataclass
class Report:
    scenario: str
    title: str
    unit: str = "ms"
    rows: list[Row] = field(default_factory=list)
    figures: dict[str, Figure] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def doubts(self) -> list[str]:
        """No peer exceeds the peak of f32 multiply-adds: where it seems so, neighbours took the processor while the peak
        was measured. gamut does exceed it where it multiplies on tiles (docs/decisions/f32-on-tiles.md)."""
        if any(row.share and row.share.max > 100 and row.name != "gamut" for row in self.rows):
            return ["DOUBTFUL: a peer above 100 %; the machine was too busy to reach its peak, so measure again"]
        return []

    def verdicts(self) -> list[tuple[bool, str]]:
        """Of each goal of the scenario: whether it is met, and the line that says so."""
        found = []
        for goal in GOALS:
            if goal.scenario == self.scenario and (figure := self.figures.get(goal.figure)):
                found.append((goal.met(figure.value), goal.verdict(figure.value, figure.detail)))
        return found

    def as_json(self) -> dict:
        goals = [{"met": met, "text": text} for met, text in self.verdicts()]
        return dataclasses.asdict(self) | {"goals": goals, "doubts": self.doubts()}

    def lines(self) -> list[str]:
        lines = [f"{self.scenario}: {self.title}", ""]
        shares = any(row.share for row in self.rows)
        header = f"{'median (least to most)':>30} {self.unit}"
        if any(row.ratio for row in self.rows):
            header = f"{header:36} {'/ gamut':>26}"
        lines.append(f"  {'':24} {header:64}{'share of peak' if shares else ''}".rstrip())
        for row in self.rows:
            ratio = f"{row.ratio.text(2)} x" if row.ratio else ""
            share = f"{row.share.median:.1f} %" if row.share else ""
            lines.append(f"  {row.name:24} {row.value.text(2):36} {ratio:30} {share:>8}".rstrip())
        lines += [f"  {note}" for note in self.notes + self.doubts()]
        lines += [f"  {text}" for _, text in self.verdicts()]
        return lines


def compare(milliseconds: dict[str, list[float]]) -> list[Row]:
    """Rows of gamut and its peers; a ratio is taken inside a round, in which all had the same neighbours."""
    ours = milliseconds["gamut"]
    rows = []
    for name, values in milliseconds.items():
        ratio = None if name == "gamut" else Spread.of(theirs / own for theirs, own in zip(values, ours))
        rows.append(Row(name, Spread.of(values), ratio))
    return rows


def check_outputs(outputs: dict[str, np.ndarray], tolerance: float = TOLERANCE) -> str:
    """Raises when an engine's results differ from gamut's; otherwise a note on how far they are apart."""
    ours = outputs["gamut"]
    bound = tolerance * max(1.0, float(np.abs(ours).max()))
    differences = {name: float(np.abs(theirs - ours).max()) for name, theirs in outputs.items() if name != "gamut"}
    for name, difference in differences.items():
        if not difference <= bound:
            raise RuntimeError(f"the results of {name} differ from gamut's by {difference:.3g}: nothing to compare")
    return f"results differ from gamut's by at most {max(differences.values()):.1e}"
