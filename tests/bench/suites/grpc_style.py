"""which of gRPC's server styles costs least (the decision: service/docs/adr/0003-grpc-server-style.md)"""

import re
import subprocess

from harness.bench import Bench, BenchError
from harness.figures import Figure, Spread, Value
from harness.load import BUILD

_TITLE = re.compile(r"(\d+) in flight, (\d+) connection")
_LINE = re.compile(
    r"(?P<style>\S.{24}) +(?P<calls>\d+) +(?P<median>[\d.]+) \((?P<least>[\d.]+) \.\. (?P<most>[\d.]+)\)"
)


def run(bench: Bench) -> None:
    rounds = 3 if bench.effort.quick else 25
    bench.say(f"every style, {rounds} rounds, three loads")
    command = [BUILD / "bin" / "grpc_style_bench", "--rounds", str(rounds), "--seconds", "0.2"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=1200)
    if result.returncode != 0:
        raise BenchError(f"grpc_style_bench ended with {result.returncode} and said: {result.stderr[-600:]}")
    print(result.stdout)
    bench.details["text"] = result.stdout
    bench.add(*figures(result.stdout, rounds))


def figures(text: str, rounds: int) -> list[Figure]:
    """The throughput of each style, of each table that the program prints."""
    result = []
    load = short = ""
    for line in text.splitlines():
        if title := _TITLE.match(line):
            load, short = f"{title[1]} in flight, {title[2]} connections", f"{title[1]}x{title[2]}"
        elif found := _LINE.match(line):
            style = found["style"].strip()
            spread = Spread(float(found["median"]), float(found["least"]), float(found["most"]), rounds)
            values = (Value(style, float(found["calls"]), "calls/s"),)
            what = f"throughput, {load}, to the style callback"
            result.append(Figure(f"grpc_style.{short}.{re.sub('[^a-z0-9]+', '_', style)}", what, spread, values=values))
    return result
