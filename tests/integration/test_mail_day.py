"""credcache-mail-day as a program: what it prints, and how it ends."""

import json
import subprocess

import pytest
from credcached import BUILD

PROGRAM = BUILD / "bin" / "credcache-mail-day"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=60, check=False)


def test_json_is_one_object_a_run_and_nothing_else() -> None:
    result = run("--users", "100", "--hours", "10", "--json")
    assert result.returncode == 0
    assert result.stderr == ""
    one, three = map(json.loads, filter(None, result.stdout.splitlines()))
    assert (one["tool"], one["servers"], three["servers"]) == ("credcache-mail-day", 1, 3)
    assert one["log_ons"] == three["log_ons"] > 0
    assert one["wrong_answers"] == three["wrong_answers"] == 0
    assert len(one["hours"]) == 10
    assert sum(hour["log_ons"] for hour in one["hours"]) == one["log_ons"]


def test_people_get_tables_and_a_comparison() -> None:
    result = run("--users", "100", "--hours", "10")
    assert result.returncode == 0
    assert "answered without the backend" in result.stdout
    assert "Round robin over 3 servers instead of one" in result.stdout


def test_a_cache_setting_changes_the_figures() -> None:
    patient, hasty = (
        json.loads(run("--users", "100", "--servers", "1", "--json", "--idle-limit", limit).stdout)
        for limit in ("1h", "1m")
    )
    assert patient["backend_calls"] < hasty["backend_calls"]


@pytest.mark.parametrize(
    "arguments", [["--servers", "2"], ["--users", "0"], ["--hours", "25"], ["--idle-limit", "15"], ["--nonsense"]]
)
def test_bad_usage_is_exit_2(arguments: list[str]) -> None:
    result = run(*arguments)
    assert result.returncode == 2
    assert arguments[0] in result.stderr
