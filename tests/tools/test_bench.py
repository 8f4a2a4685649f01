"""The harness of the benchmarks: what it makes of rounds, what it tells, and how it ends."""

import collections
import ipaddress
import json
import os
import pathlib
import random
import signal
import statistics
import subprocess
import sys

import pytest

BENCH = pathlib.Path(__file__).resolve().parents[1] / "bench"
sys.path[:0] = [str(BENCH), str(BENCH.parent / "integration")]

import run  # noqa: E402
import stubs  # noqa: E402
import waiting  # noqa: E402
from harness import bench, contest, effect, in_process, load, plots, process, report, spray, targets, workload  # noqa: E402
from harness.figures import Figure, Measure, Rounds, Series, Spread, Verdict  # noqa: E402
from suites import equal_times  # noqa: E402

PLAIN = Measure[float]("value", "u", lambda value: value)


def one_bench(folder: pathlib.Path, rounds: int = 2) -> bench.Bench:
    return bench.Bench("hits", bench.Effort(rounds, 0.1, quick=True), folder, lambda _: None)


# --- Arithmetic -------------------------------------------------------------------------------------------------------


def test_a_ratio_compares_round_by_round() -> None:
    rounds = Rounds({"ours": [10.0, 40.0, 90.0], "theirs": [10.0, 20.0, 30.0]})
    assert rounds.ratio("ours", "theirs", PLAIN) == Spread(median=2, minimum=1, maximum=3, rounds=3)


def test_the_median_of_an_even_number_lies_between() -> None:
    assert Spread.of([1.0, 2.0, 4.0, 9.0]) == Spread(median=3, minimum=1, maximum=9, rounds=4)


def test_no_rounds_are_no_spread() -> None:
    with pytest.raises(ValueError, match="no round"):
        Spread.of([])


def test_sides_are_measured_in_turn_each_round_the_other_way_round(tmp_path: pathlib.Path) -> None:
    order: list[str] = []

    def side(name: str):
        return lambda: order.append(name) or float(len(order))

    rounds = one_bench(tmp_path, rounds=3).alternate("letters", {"A": side("A"), "B": side("B")})
    assert "".join(order) == "ABBAAB"
    assert rounds.results == {"A": [1, 4, 5], "B": [2, 3, 6]}


@pytest.mark.parametrize(
    ("name", "value", "verdict"),
    [
        ("hits.throughput", 0.95, Verdict.MET),
        ("hits.throughput", 0.949, Verdict.NOT_MET),
        ("hits.latency", 1.05, Verdict.MET),
        ("hits.latency", 1.06, Verdict.NOT_MET),
        ("hits_unix.over_tcp", 1.0, Verdict.NOT_MET),
        ("mail_day.wrong", 0, Verdict.MET),
        ("mail_day.wrong", 1, Verdict.NOT_MET),
        ("hits.of_no_target", 0, Verdict.NO_TARGET),
    ],
)
def test_a_figure_says_whether_its_target_is_met(name: str, value: float, verdict: Verdict) -> None:
    assert Figure(name, "x", Spread.of([value])).verdict == verdict


def test_what_was_not_measured_has_met_nothing() -> None:
    assert Figure("hits.throughput", "x", missing="no echo").verdict == Verdict.NOT_MEASURED


def test_a_histogram_becomes_the_share_that_takes_longer() -> None:
    assert plots.tail_of([(10, 90), (20, 9), (40, 1)]) == [(10, pytest.approx(0.1)), (20, pytest.approx(0.01))]


def test_a_credential_takes_51_bytes_whoever_it_is() -> None:
    for number in (0, workload.USERS, workload.FIRST_UNKNOWN_USER, 9_999_999):
        for password in (workload.password(number), workload.wrong_password(number)):
            assert len(workload.REALM + workload.username(number) + password) == 51


def test_made_up_names_are_many_and_few_an_address() -> None:
    names = 100_000
    assert len({spray.username(number) for number in range(names)}) == names
    addresses = collections.Counter(spray.address(number) for number in range(names))
    assert set(addresses.values()) == {spray.NAMES_AN_ADDRESS}
    assert all(ipaddress.ip_address(one) in ipaddress.ip_network("100.64.0.0/10") for one in addresses)


# --- How far timings are apart ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ones", "others", "expected"),
    [
        ([3, 4], [1, 2], 1),
        ([1, 2], [3, 4], 0),
        ([1, 2, 3], [3, 1, 2], 0.5),
        ([5], [5], 0.5),
        ([2, 2], [1, 2, 3, 4], 0.375),
    ],
)
def test_the_auc_counts_pairs(ones: list[float], others: list[float], expected: float) -> None:
    assert effect.auc(ones, others) == expected


def test_timings_of_one_kind_are_not_told_apart_and_those_a_little_apart_are() -> None:
    draws = random.Random(1)
    ones, others = ([draws.lognormvariate(0, 0.3) for _ in range(10_000)] for _ in range(2))
    limit = targets.TARGETS["equal_times.file_cold_unknown"].limit
    assert effect.auc_error(10_000, 10_000) == pytest.approx(0.0041, abs=0.0001)
    assert abs(effect.auc(ones, others) - 0.5) <= limit
    assert abs(effect.auc([one + 0.03 for one in ones], others) - 0.5) > limit
    same = effect.Interval.of_medians(ones, others, draws)
    assert same.low < 0 < same.high
    apart = effect.Interval.of_medians([one + 0.03 for one in ones], others, draws)
    assert apart.low > 0


def test_the_bootstrap_of_a_median_is_that_of_resampling() -> None:
    """Against the resampling that it stands for."""
    draws = random.Random(1)
    ones, others = [draws.gauss(10, 1) for _ in range(101)], [draws.gauss(9, 2) for _ in range(80)]
    found = effect.Interval.of_medians(ones, others, draws)
    resampled = sorted(
        statistics.median(draws.choices(ones, k=101)) - statistics.median(draws.choices(others, k=80))
        for _ in range(4_000)
    )
    assert found.value == pytest.approx(statistics.median(ones) - statistics.median(others))
    assert found.low == pytest.approx(resampled[100], abs=0.15)
    assert found.high == pytest.approx(resampled[-100], abs=0.15)


def test_a_kind_that_takes_longer_is_told_with_its_size() -> None:
    draws = random.Random(1)
    times = {kind: [draws.gauss(100, 10) for _ in range(1_000)] for kind in equal_times.TITLES}
    times["disabled"] = [one + 20 for one in times["disabled"]]
    found = {figure.name: figure for figure in equal_times.figures("file_cold", times, draws)}
    assert found["equal_times.file_cold_disabled"].verdict == Verdict.NOT_MET
    assert found["equal_times.file_cold_disabled_difference"].spread.median == pytest.approx(20, abs=2)
    assert abs(found["equal_times.file_cold_unknown"].spread.median) < 0.05


def test_questions_of_all_kinds_are_of_one_size() -> None:
    questions = [equal_times.Question.of("wrong", user, 7) for user in (0, 20_000, 5_009_999)]
    assert len({len(question.message) for question in questions}) == 1
    assert len({question.message for question in questions}) == 3


def test_an_answer_that_is_no_rejection_does_not_count() -> None:
    accepted = stubs.authenticate_pb2.AuthenticateResponse(outcome=stubs.ACCEPTED, source=stubs.BACKEND)
    questions = [equal_times.Question.of("wrong", 1, 7)]
    with pytest.raises(bench.BenchError, match="wrong password"):
        equal_times.measure(questions, lambda _: accepted.SerializeToString(), {"wrong": stubs.BACKEND})


# --- What a load generator says ---------------------------------------------------------------------------------------

GOOD = {
    "tool": "credcache-load",
    "partial": False,
    "error": None,
    "requests": 10,
    "errors": 0,
    "unexpected": 0,
    "requests_per_second": 5.0,
    "latency_us": {"p50": 1, "p99": 2, "p99_9": 3},
}


def test_a_whole_run_is_read() -> None:
    assert load.Load.read(GOOD).requests_per_second == 5


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"partial": True}, "partial"),
        ({"error": "the server went away"}, "went away"),
        ({"errors": 2}, "2 errors"),
        ({"unexpected": 3}, "3 unexpected"),
        ({"requests": 0}, "no request"),
    ],
)
def test_a_run_that_does_not_count_is_an_error(change: dict[str, object], why: str) -> None:
    with pytest.raises(bench.BenchError, match=why):
        load.Load.read({**GOOD, **change})


@pytest.mark.parametrize(
    ("script", "why"),
    [("exit 4", "ended with 4"), ("echo hello", "no JSON"), ("echo no server >&2; exit 4", "no server")],
)
def test_a_program_that_fails_is_an_error(script: str, why: str) -> None:
    with pytest.raises(bench.BenchError, match=why):
        load.run_json(["sh", "-c", script], timeout=5)


def test_a_program_that_is_not_there_is_an_error(tmp_path: pathlib.Path) -> None:
    with pytest.raises(bench.BenchError, match="absent"):
        load.run_json([tmp_path / "absent"], timeout=5)


GOOGLE = {
    "benchmarks": [
        {"name": "BM_A/repeats:2", "run_name": "BM_A", "run_type": "iteration", "real_time": 2, "time_unit": "us"},
        {"name": "BM_A_mean", "run_name": "BM_A", "run_type": "aggregate", "real_time": 9, "time_unit": "us"},
        {"name": "BM_B", "run_type": "iteration", "real_time": 3, "time_unit": "ns", "items_per_second": 7, "extra": 1},
    ]
}


def test_google_benchmarks_repetitions_are_read_without_its_aggregates() -> None:
    results = in_process.read(json.dumps(GOOGLE))
    assert [one.each_ns for one in results["BM_A"]] == [2000]
    assert [(one.each_ns, one.items_per_second, one.counters["extra"]) for one in results["BM_B"]] == [(3, 7, 1)]


def test_a_benchmark_that_reports_an_error_is_an_error() -> None:
    broken = {"benchmarks": [{**GOOGLE["benchmarks"][0], "error_occurred": True, "error_message": "not a hit"}]}
    with pytest.raises(bench.BenchError, match="not a hit"):
        in_process.read(json.dumps(broken))


# --- The report -------------------------------------------------------------------------------------------------------


def outcome(folder: pathlib.Path, error: str = "", missing: bool = False) -> report.Outcome:
    one = one_bench(folder)
    one.add(Rounds({"ours": [8.0, 9.0], "theirs": [10.0, 10.0]}).compare("hits.latency", "w", "ours", "theirs", PLAIN))
    if missing:
        one.lacks("saslauthd", "the package is not here", "hits.throughput")
    one.plot(plots.LATENCY, "ours", [(1, 0.5), (2, 0.1)])
    return report.Outcome.of(one, 1.0, error)


def test_the_table_has_ratio_target_verdict_and_values(tmp_path: pathlib.Path) -> None:
    text = report.terminal([outcome(tmp_path)])
    line = next(line for line in text.splitlines() if line.startswith("hits.latency"))
    for part in ("0.85 (0.8 .. 0.9)", "<= 1.05", "met", "ours 8.5 u", "theirs 10 u"):
        assert part in line


def test_what_is_missing_is_named_in_table_and_report(tmp_path: pathlib.Path) -> None:
    outcomes = [outcome(tmp_path, missing=True)]
    for text in (report.terminal(outcomes), report.markdown(outcomes, [])):
        assert "missing in hits: saslauthd: the package is not here" in text
        assert "NOT MEASURED" in text
    assert report.exit_code(outcomes) == 0


def test_a_peer_that_does_not_start_is_missing_with_its_figures(tmp_path: pathlib.Path) -> None:
    def start() -> str:
        process.need("no-such-program", "no-such-package")
        raise AssertionError

    one = one_bench(tmp_path)
    assert contest.start(one, contest.Peer("x", "The Peer", "http", start, ({},)), "hits.latency") is None
    assert "no-such-package" in one.missing["The Peer"]
    assert [figure.verdict for figure in one.figures] == [Verdict.NOT_MEASURED]


def test_a_program_that_ends_before_it_listens_says_why(tmp_path: pathlib.Path) -> None:
    with one_bench(tmp_path).stack as stack, pytest.raises(bench.BenchError, match="a bad option"):
        process.start_listening(stack, ["sh", "-c", "echo a bad option; exit 3"], tmp_path, tmp_path / "socket")


def test_targets_without_a_figure_are_named(tmp_path: pathlib.Path) -> None:
    absent = report.terminal([outcome(tmp_path)]).splitlines()[-1]
    assert "not measured in this run" in absent
    assert all((name in absent) == (name != "hits.latency") for name in targets.TARGETS)


def test_the_report_names_every_target(tmp_path: pathlib.Path) -> None:
    text = report.markdown([outcome(tmp_path)], ["latency.png"])
    assert all(f"`{name}`" in text for name in targets.TARGETS)
    assert "![latency.png](latency.png)" in text


def test_an_outcome_survives_its_file(tmp_path: pathlib.Path) -> None:
    one = outcome(tmp_path, error="it broke", missing=True)
    report.write_outcome(tmp_path, one)
    assert report.read(tmp_path, ["hits", "never_ran"]) == [one]
    assert "verdict" in json.loads((tmp_path / "hits.json").read_text())["figures"][0]


def test_a_figure_belongs_to_its_benchmark(tmp_path: pathlib.Path) -> None:
    with pytest.raises(ValueError, match="not a figure of hits"):
        one_bench(tmp_path).add(Figure("stream.over_unary", "x"))


def test_every_target_belongs_to_a_name_with_a_dot() -> None:
    assert all(name.count(".") == 1 for name in targets.TARGETS)


def test_series_of_no_plot_draw_nothing(tmp_path: pathlib.Path) -> None:
    assert plots.draw(tmp_path, []) == []


def test_plots_without_matplotlib_are_missing(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(bench.MissingError, match="matplotlib"):
        plots.draw(tmp_path, [Series(plots.LATENCY, "x", ((1.0, 1.0),))])


# --- The command ------------------------------------------------------------------------------------------------------


class Suite:
    """A benchmark that does as the test says."""

    __doc__ = "a made-up one"

    def __init__(self, behaviour) -> None:
        self.run = behaviour


def run_suites(folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch, **behaviours) -> int:
    monkeypatch.setattr(run, "suites", lambda _: {name: name for name in behaviours})
    monkeypatch.setattr(run, "load", lambda name: Suite(behaviours[name]))
    return run.main(["--quick", "--output", str(folder)])


def fails(_: bench.Bench) -> None:
    raise bench.BenchError("the peer hung up")


def breaks(_: bench.Bench) -> None:
    raise KeyError("a mistake")


def works(one: bench.Bench) -> None:
    one.add(Figure(f"{one.name}.figure", "w", Spread.of([2.0])))


@pytest.mark.parametrize(("bad", "why"), [(fails, "the peer hung up"), (breaks, "KeyError")])
def test_a_failing_benchmark_fails_the_run_and_the_others_go_on(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], bad, why: str
) -> None:
    assert run_suites(tmp_path, monkeypatch, first=bad, second=works) == 1
    said = capsys.readouterr().out
    assert "FAILED: first" in said
    assert why in said
    assert "second.figure" in said
    assert json.loads((tmp_path / "first.json").read_text())["error"]
    assert not json.loads((tmp_path / "second.json").read_text())["error"]


def test_a_target_that_is_not_met_fails_nothing(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        run_suites(tmp_path, monkeypatch, hits=lambda one: one.add(Figure("hits.latency", "w", Spread.of([9.0])))) == 0
    )
    assert "NOT MET" in capsys.readouterr().out
    assert "NOT MET" in (tmp_path / "report.md").read_text()


def test_servers_end_and_the_folder_goes_when_a_benchmark_fails(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[pathlib.Path] = []
    ended: list[bool] = []

    def behaviour(one: bench.Bench) -> None:
        seen.append(one.folder)
        one.stack.callback(ended.append, True)
        fails(one)

    assert run_suites(tmp_path, monkeypatch, hits=behaviour) == 1
    assert ended == [True]
    assert not seen[0].exists()


def test_a_run_that_is_ended_ends_what_it_started(tmp_path: pathlib.Path) -> None:
    """The benchmark is real; its servers and its load generator do nothing."""
    for name in ("credcached", "credcache-echo", "credcache-load"):
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(
            f"#!/bin/sh\necho $$ > {tmp_path}/{name}.pid\n"
            "echo 'credcached ready grpc=127.0.0.1:1 admin=127.0.0.1:2' >&2\n"
            "echo credcache-echo ready grpc=127.0.0.1:3\nexec sleep 60\n"
        )
        program.chmod(0o755)
    one = subprocess.Popen(
        [sys.executable, BENCH / "run.py", "hits", "--output", tmp_path / "out"],
        env={**os.environ, "CREDCACHE_BUILD": str(tmp_path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        pids = [tmp_path / f"{name}.pid" for name in ("credcached", "credcache-echo", "credcache-load")]
        waiting.until(lambda: all(pid.exists() and pid.read_text().strip() for pid in pids), "all are started")
        one.terminate()
        assert one.wait(30) == 128 + signal.SIGTERM
    finally:
        one.kill()
    for pid in pids:
        assert not pathlib.Path(f"/proc/{pid.read_text().strip()}").exists()


def test_an_unknown_name_is_a_usage_error_with_the_list() -> None:
    result = subprocess.run(
        [sys.executable, BENCH / "run.py", "no_such"], capture_output=True, text=True, check=False, timeout=30
    )
    assert result.returncode == 2
    assert "no benchmark no_such" in result.stderr
    assert "hits" in result.stderr
    assert "startup" in result.stderr


def test_the_list_says_what_each_measures(capsys: pytest.CaptureFixture[str]) -> None:
    assert run.main(["--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    names = [line.split()[0] for line in lines]
    assert names == sorted(path.stem for path in (BENCH / "suites").glob("*.py"))
    assert all(len(line.split()) > 4 for line in lines)
