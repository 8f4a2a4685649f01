"""The report of a run: one table on the terminal, report.json and report.md in the folder of results."""

import dataclasses
import json
import os
import pathlib
import platform
import re
from collections.abc import Iterable, Sequence
from typing import Any, Self

from harness.bench import Bench
from harness.figures import Figure, Series, Value, Verdict
from harness.targets import TARGETS


@dataclasses.dataclass(frozen=True)
class Outcome:
    """How one benchmark ended. `error` is empty unless it failed."""

    name: str
    seconds: float
    quick: bool
    error: str
    figures: tuple[Figure, ...]
    series: tuple[Series, ...]
    missing: dict[str, str]
    details: dict[str, Any]

    @classmethod
    def of(cls, bench: Bench, seconds: float, error: str) -> Self:
        return cls(
            *(bench.name, seconds, bench.effort.quick, error),
            *(tuple(bench.figures), tuple(bench.series), bench.missing, bench.details),
        )

    def document(self) -> dict[str, Any]:
        return {
            "benchmark": self.name,
            "seconds": round(self.seconds, 1),
            "quick": self.quick,
            "error": self.error,
            "missing": self.missing,
            "figures": [figure.document() for figure in self.figures],
            "series": [dataclasses.asdict(series) for series in self.series],
            "details": self.details,
        }

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Self:
        return cls(
            name=document["benchmark"],
            seconds=document["seconds"],
            quick=document["quick"],
            error=document["error"],
            figures=tuple(Figure.from_document(figure) for figure in document["figures"]),
            series=tuple(
                Series(series["plot"], series["label"], tuple((x, y) for x, y in series["points"]))
                for series in document["series"]
            ),
            missing=document["missing"],
            details=document["details"],
        )


def write(folder: pathlib.Path, outcomes: Sequence[Outcome], plots: Sequence[str]) -> None:
    document = {"machine": machine(), "benchmarks": [outcome.document() for outcome in outcomes]}
    (folder / "report.json").write_text(json.dumps(document, indent=2) + "\n")
    (folder / "report.md").write_text(markdown(outcomes, plots))


def write_outcome(folder: pathlib.Path, outcome: Outcome) -> None:
    (folder / f"{outcome.name}.json").write_text(json.dumps(outcome.document(), indent=2) + "\n")


def machine() -> dict[str, Any]:
    model = re.search(r"^model name\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return {
        "cpu": model[1] if model else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "kernel": platform.release(),
    }


def number(value: float) -> str:
    """Three digits that count, and no exponent."""
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"


def spread_text(figure: Figure) -> str:
    if figure.spread is None:
        return "-"
    spread, unit = figure.spread, "" if figure.unit == "x" else f" {figure.unit}"
    if spread.rounds == 1:
        return number(spread.median) + unit
    return f"{number(spread.median)} ({number(spread.minimum)} .. {number(spread.maximum)}){unit}"


def values_text(values: Iterable[Value]) -> str:
    return ", ".join(f"{value.of} {number(value.value)} {value.unit}" for value in values)


HEADER = ("figure", "median (min .. max)", "target", "verdict", "what, and absolute values")


def row(figure: Figure) -> tuple[str, ...]:
    what = figure.what if not figure.missing else figure.missing
    values = values_text(figure.values)
    return (
        figure.name,
        spread_text(figure),
        str(figure.target or ""),
        str(figure.verdict),
        f"{what}; {values}" if values else what,
    )


def rows(outcomes: Iterable[Outcome]) -> list[tuple[str, ...]]:
    return [row(figure) for outcome in outcomes for figure in outcome.figures]


def terminal(outcomes: Sequence[Outcome]) -> str:
    """The table, then what failed and what is missing."""
    table = [HEADER, *rows(outcomes)]
    widths = [max(len(line[column]) for line in table) for column in range(len(HEADER) - 1)]
    lines = [
        "  ".join([*(cell.ljust(width) for cell, width in zip(line, widths, strict=False)), line[-1]]) for line in table
    ]
    lines.insert(1, "-" * (sum(widths) + 2 * len(widths) + len(HEADER[-1])))
    return "\n".join([*lines, "", *remarks(outcomes), *not_measured(outcomes)])


def remarks(outcomes: Iterable[Outcome]) -> list[str]:
    lines = []
    for outcome in outcomes:
        lines += [f"missing in {outcome.name}: {what}: {why}" for what, why in outcome.missing.items()]
        lines += [f"FAILED: {outcome.name}: {outcome.error}"] if outcome.error else []
    return lines


def not_measured(outcomes: Iterable[Outcome]) -> list[str]:
    """The targets that no benchmark of this run has a figure for."""
    found = {figure.name for outcome in outcomes for figure in outcome.figures}
    absent = [name for name in TARGETS if name not in found]
    return [f"targets not measured in this run: {', '.join(absent)}"] if absent else []


def markdown(outcomes: Sequence[Outcome], plots: Sequence[str]) -> str:
    about = machine()
    lines = [
        "# Benchmarks",
        "",
        f"{about['cores']} cores of {about['cpu']}, Linux {about['kernel']}.",
        "Ratios of sides measured in alternating rounds of one run: median (minimum .. maximum).",
        "",
    ]
    if any(outcome.quick for outcome in outcomes):
        lines += ["Made with `--quick`: few and short rounds, only good for showing that everything works.", ""]
    lines += ["## Targets", "", "| target | wanted | found | verdict |", "|---|---|---|---|"]
    found = {figure.name: figure for outcome in outcomes for figure in outcome.figures}
    for name, target in TARGETS.items():
        figure = found.get(name)
        text, verdict = (spread_text(figure), figure.verdict) if figure else ("-", Verdict.NOT_MEASURED)
        lines.append(f"| {target.issue_says} (`{name}`) | {target} | {text} | {verdict} |")
    for outcome in outcomes:
        lines += ["", f"## {outcome.name}", "", "| " + " | ".join(HEADER) + " |", "|" + "---|" * len(HEADER)]
        lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in rows([outcome])]
        notes = remarks([outcome])
        lines += ["", *(f"- {note}" for note in notes)] if notes else []
    lines += ["", "## Plots", "", *(f"![{plot}]({plot})" for plot in plots)] if plots else []
    return "\n".join(lines) + "\n"


def exit_code(outcomes: Iterable[Outcome]) -> int:
    """A run that failed is an error; a target that is not met, or a peer that is missing, is told and is none."""
    return 1 if any(outcome.error for outcome in outcomes) else 0


def read(folder: pathlib.Path, names: Iterable[str]) -> list[Outcome]:
    """What earlier runs left."""
    files = [folder / f"{name}.json" for name in names]
    return [Outcome.from_document(json.loads(file.read_text())) for file in files if file.exists()]
