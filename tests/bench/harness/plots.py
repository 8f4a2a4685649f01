"""The PNG plots of a run, drawn from the series that its benchmarks left."""

import dataclasses
import pathlib
from collections.abc import Iterable

from harness.bench import MissingError
from harness.figures import Series


@dataclasses.dataclass(frozen=True)
class Plot:
    """Both axes are logarithmic where not said otherwise."""

    title: str
    x: str
    y: str
    x_base: int = 10
    log_y: bool = True
    markers: bool = True


LATENCY, LATENCY_ECHO, THROUGHPUT, MEMORY = "latency", "latency_echo", "throughput", "memory"
_TAIL = ("microseconds", "share that takes longer")
PLOTS = {
    # A point (x, y): the share y of requests took longer than x.
    LATENCY: Plot("Latency of a log-on that is known, 1 in flight", *_TAIL, markers=False),
    LATENCY_ECHO: Plot("Latency of a unary hit, 1 in flight", *_TAIL, markers=False),
    THROUGHPUT: Plot(
        "Throughput against requests in flight", "requests in flight", "requests a second", x_base=2, log_y=False
    ),
    MEMORY: Plot("Memory against entries", "entries", "bytes an entry"),
}


def tail_of(histogram: Iterable[tuple[float, int]]) -> list[tuple[float, float]]:
    """A histogram (upper bound, count) as points of LATENCY and LATENCY_ECHO."""
    counts = list(histogram)
    total = left = sum(count for _, count in counts)
    points = []
    for bound, count in counts:
        left -= count
        if left:
            points.append((bound, left / total))
    return points


def draw(folder: pathlib.Path, series: Iterable[Series]) -> list[str]:
    """Draws each plot that has series; the names of the files in `folder`."""
    lines: dict[str, list[Series]] = {}
    for one in series:
        lines.setdefault(one.plot, []).append(one)
    if not lines:
        return []
    try:
        import matplotlib
    except ImportError as error:
        raise MissingError("the Python package matplotlib is not here (tests/bench/requirements.txt)") from error
    matplotlib.use("Agg")
    return [_draw_one(folder, name, plot, lines[name]) for name, plot in PLOTS.items() if name in lines]


def _draw_one(folder: pathlib.Path, name: str, plot: Plot, lines: list[Series]) -> str:
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(9, 5.5), layout="constrained")
    marker = "o" if plot.markers else ""
    for line in lines:
        # A dollar would begin a formula.
        label = line.label.replace("$", r"\$")
        axes.plot(*zip(*line.points, strict=True), label=label, marker=marker, markersize=4)
    axes.set(title=plot.title, xlabel=plot.x, ylabel=plot.y)
    axes.set_xscale("log", base=plot.x_base)
    if plot.log_y:
        axes.set_yscale("log")
    else:
        axes.set_ylim(bottom=0)
    axes.grid(visible=True, which="both", alpha=0.3)
    axes.legend()
    file = f"{name}.png"
    figure.savefig(folder / file, dpi=120)
    pyplot.close(figure)
    return file
