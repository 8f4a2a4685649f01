"""What a benchmark is given: how much effort to make, a folder, a place for its figures, and rounds that alternate.

A benchmark is a module suites/NAME.py. The first line of its docstring says what it measures, and `run(bench)` does it:
starts servers on `bench.stack`, measures, and adds figures. Whatever it raises makes the benchmark fail; a figure that
is worse than its target does not.
"""

import contextlib
import dataclasses
import pathlib
import time
from collections.abc import Callable, Mapping
from typing import Any

from harness.figures import Figure, Result, Rounds, Series


class BenchError(Exception):
    """A measurement that does not count, and why."""


class MissingError(Exception):
    """Something that a figure needs cannot be had here, and why."""


@dataclasses.dataclass(frozen=True)
class Effort:
    """How long is measured: `seconds` a side and round, so many rounds."""

    rounds: int
    seconds: float
    quick: bool

    def fewer(self, rounds: int) -> "Effort":
        """At most so many rounds."""
        return dataclasses.replace(self, rounds=min(self.rounds, rounds))

    @property
    def close(self) -> "Effort":
        """For sides that differ by a few hundredths: longer in all, in rounds so short that a bad moment spoils few."""
        return self if self.quick else dataclasses.replace(self, rounds=self.rounds * 5, seconds=self.seconds / 2)


FULL = Effort(rounds=9, seconds=1.0, quick=False)
QUICK = Effort(rounds=3, seconds=0.3, quick=True)


@dataclasses.dataclass
class Bench:
    """One benchmark's run. Not thread-safe."""

    name: str
    effort: Effort
    folder: pathlib.Path  # empty, gone when the benchmark ends
    say: Callable[[str], None]
    stack: contextlib.ExitStack = dataclasses.field(default_factory=contextlib.ExitStack)
    figures: list[Figure] = dataclasses.field(default_factory=list)
    series: list[Series] = dataclasses.field(default_factory=list)
    missing: dict[str, str] = dataclasses.field(default_factory=dict)  # what could not be had -> why
    details: dict[str, Any] = dataclasses.field(default_factory=dict)  # raw results, for the JSON alone

    def add(self, *figures: Figure) -> None:
        for figure in figures:
            if not figure.name.startswith(self.name + "."):
                raise ValueError(f"{figure.name} is not a figure of {self.name}")
            self.figures.append(figure)

    def plot(self, plot: str, label: str, points: Any) -> None:
        self.series.append(Series(plot, label, tuple((float(x), float(y)) for x, y in points)))

    def lacks(self, what: str, why: str, *figures: str) -> None:
        """Says that something cannot be had, and which of the figures are not measured for that."""
        self.missing[what] = why
        self.say(f"MISSING: {what}: {why}")
        self.add(*(Figure(figure, f"needs {what}", missing=f"{what}: {why}") for figure in figures))

    def alternate(
        self, what: str, sides: Mapping[str, Callable[[], Result]], effort: Effort | None = None
    ) -> Rounds[Result]:
        """Measures the sides in turn, A, B, B, A, A, B …: none always comes after the same other."""
        effort = effort or self.effort
        self.say(f"{what}: {' / '.join(sides)}, {effort.rounds} rounds")
        begin = time.monotonic()
        results: dict[str, list[Result]] = {side: [] for side in sides}
        for number in range(effort.rounds):
            for side in sides if number % 2 == 0 else reversed(sides):
                results[side].append(sides[side]())
            self.say(f"{what}: round {number + 1} of {effort.rounds} ({time.monotonic() - begin:.0f} s)")
        return Rounds(results)
