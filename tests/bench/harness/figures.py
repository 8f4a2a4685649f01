"""What a benchmark finds: figures, each with its spread over the rounds of one run, and points to plot.

Two sides are only ever compared round by round, in the same run: absolute values drift on shared machines.
"""

import dataclasses
import enum
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, Self, TypeVar

from harness.targets import TARGETS, Target

Result = TypeVar("Result")


class Verdict(enum.StrEnum):
    """What a figure says of its target."""

    MET = "met"
    NOT_MET = "NOT MET"
    NOT_MEASURED = "NOT MEASURED"
    NO_TARGET = "-"


@dataclasses.dataclass(frozen=True)
class Spread:
    """Median, minimum and maximum of the rounds."""

    median: float
    minimum: float
    maximum: float
    rounds: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        if not values:
            raise ValueError("no round was measured")
        return cls(statistics.median(values), min(values), max(values), len(values))


@dataclasses.dataclass(frozen=True)
class Value:
    """What one side reached: the median of its rounds, with its unit."""

    of: str
    value: float
    unit: str


@dataclasses.dataclass(frozen=True)
class Figure:
    """One line of the report. Its name is BENCHMARK.WHAT, under which targets.py may have a target.

    `spread` is a ratio, or what `unit` says; None when it was not measured, and then `missing` tells why.
    """

    name: str
    what: str
    spread: Spread | None = None
    unit: str = "x"
    values: tuple[Value, ...] = ()
    missing: str = ""

    @property
    def target(self) -> Target | None:
        return TARGETS.get(self.name)

    @property
    def verdict(self) -> Verdict:
        if self.spread is None:
            return Verdict.NOT_MEASURED
        if self.target is None:
            return Verdict.NO_TARGET
        return Verdict.MET if self.target.met_by(self.spread.median) else Verdict.NOT_MET

    def document(self) -> dict[str, Any]:
        """As JSON: all of it, with the target and what it says."""
        target = self.target
        return {
            **dataclasses.asdict(self),
            "target": target and {"sign": target.sign, "limit": target.limit, "issue_says": target.issue_says},
            "verdict": str(self.verdict),
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        return cls(
            name=document["name"],
            what=document["what"],
            spread=Spread(**document["spread"]) if document["spread"] else None,
            unit=document["unit"],
            values=tuple(Value(**value) for value in document["values"]),
            missing=document["missing"],
        )


@dataclasses.dataclass(frozen=True)
class Series:
    """A line of a plot (plots.py has the plots' names)."""

    plot: str
    label: str
    points: tuple[tuple[float, float], ...]


@dataclasses.dataclass(frozen=True)
class Measure(Generic[Result]):
    """What is taken from one round of one side."""

    name: str
    unit: str
    of: Callable[[Result], float]


@dataclasses.dataclass(frozen=True)
class Rounds(Generic[Result]):
    """The results of alternating rounds: of each side as many."""

    results: Mapping[str, Sequence[Result]]

    def values(self, side: str, measure: Measure[Result]) -> list[float]:
        return [measure.of(result) for result in self.results[side]]

    def ratio(self, side: str, base: str, measure: Measure[Result]) -> Spread:
        """`side` to `base`, round by round."""
        return Spread.of(
            [ours / theirs for ours, theirs in zip(self.values(side, measure), self.values(base, measure), strict=True)]
        )

    def value(self, side: str, measure: Measure[Result]) -> Value:
        return Value(side, statistics.median(self.values(side, measure)), measure.unit)

    def compare(self, name: str, what: str, side: str, base: str, measure: Measure[Result]) -> Figure:
        """The figure that says how `side` stands to `base`."""
        return Figure(
            name,
            f"{what}: {measure.name}, {side} / {base}",
            self.ratio(side, base, measure),
            values=(self.value(side, measure), self.value(base, measure)),
        )
