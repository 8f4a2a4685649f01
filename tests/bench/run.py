#!/usr/bin/env python3
"""Runs benchmarks of tests/bench/suites and reports what they found.

    run.py [NAME...] [--quick] [--output FOLDER]
    run.py --list
    run.py --report

Exit: 0; 1 when a benchmark failed (a target that is not met is told, and is no failure); 2 usage.
"""

import argparse
import contextlib
import importlib
import pathlib
import pkgutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from types import ModuleType

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "integration")]

from harness import bench, plots, report  # noqa: E402
from harness.load import BUILD  # noqa: E402


def suites(folder: pathlib.Path) -> dict[str, str]:
    """Every benchmark's name and module, in the order of names."""
    return {module.name: f"suites.{module.name}" for module in sorted(pkgutil.iter_modules([str(folder)]), key=_name)}


def _name(module: pkgutil.ModuleInfo) -> str:
    return module.name


def load(name: str) -> ModuleType:
    return importlib.import_module(f"suites.{name}")


def what_it_measures(module: ModuleType) -> str:
    return (module.__doc__ or "").strip().splitlines()[0]


def run_one(name: str, effort: bench.Effort) -> report.Outcome:
    """Runs it to its end, whatever happens: what it raises is its error."""
    begin = time.monotonic()
    error = ""
    with tempfile.TemporaryDirectory(prefix="credcache-bench-") as folder:
        one = bench.Bench(name, effort, pathlib.Path(folder), lambda text: print(f"    {text}", flush=True))
        try:
            module = load(name)
            print(f"==> {name}: {what_it_measures(module)}", flush=True)
            with one.stack:
                module.run(one)
        except bench.BenchError as failure:
            error = str(failure)
        except Exception as failure:  # a mistake of ours: told, and the other benchmarks run
            traceback.print_exc()
            error = f"{type(failure).__name__}: {failure}"
        if error:
            one.say(f"FAILED: {error}")
    return report.Outcome.of(one, time.monotonic() - begin, error)


def finish(folder: pathlib.Path, outcomes: Sequence[report.Outcome]) -> int:
    """Draws, writes and prints what was found."""
    drawn: list[str] = []
    try:
        drawn = plots.draw(folder, [series for outcome in outcomes for series in outcome.series])
    except bench.MissingError as why:
        print(f"MISSING: plots: {why}")
    report.write(folder, outcomes, drawn)
    print(f"\n{report.terminal(outcomes)}\n\nresults: {folder}/report.md, report.json {' '.join(drawn)}")
    return report.exit_code(outcomes)


def parse(arguments: Sequence[str] | None, known: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="./dev bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="benchmarks; none: all")
    parser.add_argument("--list", action="store_true", help="list the benchmarks")
    parser.add_argument("--quick", action="store_true", help="few and short rounds: does everything work?")
    parser.add_argument("--report", action="store_true", help="report what earlier runs left, without measuring")
    parser.add_argument("--check", action="store_true", help=argparse.SUPPRESS)  # only whether the arguments are right
    parser.add_argument("--output", type=pathlib.Path, default=BUILD / "bench", help="where results go")
    options = parser.parse_args(arguments)
    for name in options.names:
        if name not in known:
            parser.error(f"no benchmark {name}; there are: {' '.join(known)}")
    options.names = options.names or list(known)
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    known = list(suites(HERE / "suites"))
    options = parse(arguments, known)
    if options.check:
        return 0
    if options.list:
        for name in known:
            print(f"{name:<12} {what_it_measures(load(name))}")
        return 0
    options.output.mkdir(parents=True, exist_ok=True)
    if options.report:
        return finish(options.output, report.read(options.output, options.names))
    outcomes = []
    for name in options.names:
        outcomes.append(run_one(name, bench.QUICK if options.quick else bench.FULL))
        report.write_outcome(options.output, outcomes[-1])
    return finish(options.output, outcomes)


if __name__ == "__main__":
    # Servers end and folders go as after Ctrl-C.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    with contextlib.suppress(BrokenPipeError):
        sys.exit(main())
