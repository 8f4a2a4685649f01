"""from start to ready, the embedded default, beside the bare gRPC echo"""

import subprocess

import startup
from harness import servers
from harness.bench import Bench, BenchError
from harness.figures import Figure, Spread, Value
from harness.load import BUILD, REPOSITORY


def run(bench: Bench) -> None:
    folder = bench.folder / "sample"
    write = 'source tests/tools/steps.sh && source tests/tools/sample.sh && write_sample "$1" 0 0'
    subprocess.run(["bash", "-c", write, "bash", folder], cwd=REPOSITORY, check=True, timeout=60)
    programs = [
        startup.Program(
            "credcached", [str(BUILD / "bin/credcached"), "--config", str(folder / "credcached.yaml")], startup.READY
        )
    ]
    if servers.ECHO.exists():
        command = [str(servers.ECHO), "--address", "127.0.0.1:0"]
        programs.append(startup.Program("echo", command, startup.BASELINE_READY))
    count = 5 if bench.effort.quick else 50
    bench.say(f"{' / '.join(program.name for program in programs)}, {count} starts each")
    try:
        results = startup.measure(programs, count, timeout=30)
    except startup.StartError as error:
        raise BenchError(str(error)) from error
    bench.details.update(results)
    runs = {name: result["runs_ms"] for name, result in results.items()}
    bench.add(Figure("startup.ready", "credcached, fork to ready line", Spread.of(runs["credcached"]), "ms"))
    if "echo" not in runs:
        bench.lacks("credcache-echo", "it is not built", "startup.over_echo")
        return
    ratios = [ours / theirs for ours, theirs in zip(runs["credcached"], runs["echo"], strict=True)]
    values = tuple(Value(name, result["median_ms"], "ms") for name, result in results.items())
    bench.add(Figure("startup.over_echo", "fork to ready: credcached / echo", Spread.of(ratios), values=values))
