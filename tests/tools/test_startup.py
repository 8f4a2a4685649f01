"""The benchmark of starts, on programs that behave and that do not."""

import json
import pathlib
import subprocess
import sys

import pytest

STARTUP = pathlib.Path(__file__).resolve().parents[1] / "bench" / "startup.py"

FAKE = """#!{python}
import signal, sys
stop = dict(good=lambda *_: sys.exit(0), bad=lambda *_: sys.exit(3), stubborn=lambda *_: None)["{end}"]
signal.signal(signal.SIGTERM, stop)
sys.stderr.write({says!r})
sys.stderr.flush()
while True: signal.pause()
"""
READY = "a log line\ncredcached ready grpc=127.0.0.1:1 admin=127.0.0.1:2\n"


def run(folder: pathlib.Path, *more: str, says: str = READY, end: str = "good") -> subprocess.CompletedProcess[str]:
    program = folder / "program"
    program.write_text(FAKE.format(python=sys.executable, says=says, end=end))
    program.chmod(0o755)
    config = folder / "config.yaml"
    config.touch()
    command = [
        STARTUP,
        config,
        "--program",
        program,
        "--runs",
        "2",
        "--timeout",
        "3",
        "--output",
        folder / "o" / "s.json",
    ]
    return subprocess.run([sys.executable, *command, *more], capture_output=True, text=True, check=False)


def test_runs_are_counted_for_the_program_and_its_baseline(tmp_path: pathlib.Path) -> None:
    result = run(tmp_path, "--baseline", f"{tmp_path / 'program'} argument")
    assert result.returncode == 0, result.stderr
    programs = json.loads((tmp_path / "o" / "s.json").read_text())["programs"]
    for name in ("credcached", "baseline"):
        assert name in result.stdout
        times = programs[name]
        assert len(times["runs_ms"]) == 2
        assert 0 < times["min_ms"] <= times["median_ms"] <= times["max_ms"]


@pytest.mark.parametrize(
    ("says", "end", "why"),
    [
        (READY, "bad", "with 3, not 0"),
        (READY, "stubborn", "did not end within"),
        ("credcached ready grpc=127.0.0.1:1", "good", "did not get ready in time"),
        ("no such key\n", "good", "no such key"),
    ],
    ids=["bad end", "no end", "half a line", "never ready"],
)
def test_a_start_that_does_not_count_is_an_error(tmp_path: pathlib.Path, says: str, end: str, why: str) -> None:
    result = run(tmp_path, says=says, end=end)
    assert result.returncode == 1
    assert why in result.stderr
    assert not (tmp_path / "o").exists()


def test_a_median_over_the_limit_is_an_error(tmp_path: pathlib.Path) -> None:
    result = run(tmp_path, "--limit", "0.001")
    assert result.returncode == 1
    assert "over the limit" in result.stderr
