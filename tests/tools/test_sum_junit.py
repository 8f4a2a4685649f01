"""What counts as passed, failed and skipped."""

from pathlib import Path

import pytest
import sum_junit

PASSED = '<testcase name="a" status="run"/>'
FAILED = '<testcase name="b" classname="B" status="fail"><failure message=""/></testcase>'
BROKEN = '<testcase name="c"><error message="no such fixture"/></testcase>'
SKIPPED = '<testcase name="d"><skipped message="why"/></testcase>'
SKIPPED_BY_CTEST = '<testcase name="e" status="notrun"><skipped message="SKIP_REGULAR_EXPRESSION_MATCHED"/></testcase>'
MISSING = '<testcase name="f" status="notrun"><skipped message="Unable to find executable"/></testcase>'


@pytest.mark.parametrize(
    ("cases", "status", "expected"),
    [
        (PASSED, 0, "1 passed, 0 failed"),
        (PASSED + FAILED + BROKEN, 1, "1 passed, 2 failed"),
        (PASSED + SKIPPED + SKIPPED_BY_CTEST, 0, "1 passed, 0 failed, 2 skipped"),
        (PASSED + MISSING, 8, "1 passed, 1 failed"),
        (PASSED, 3, "1 passed, 1 failed"),
        ("", 0, "0 passed, 1 failed"),
        (SKIPPED, 0, "0 passed, 1 failed, 1 skipped"),
    ],
)
def test_a_part_is_counted(tmp_path: Path, cases: str, status: int, expected: str) -> None:
    (tmp_path / "unit.xml").write_text(f"<testsuite>{cases}</testsuite>")
    assert str(sum_junit.count_part(tmp_path, "unit", status)) == expected


@pytest.mark.parametrize("text", [None, "", "<testsuite>"])
def test_a_part_without_results_has_failed(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "unit.xml").write_text(text)
    assert str(sum_junit.count_part(tmp_path, "unit", 0)) == "0 passed, 1 failed"


def test_the_last_line_is_the_sum(
    tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for part, cases in (("unit", PASSED + PASSED), ("asan", PASSED + SKIPPED)):
        (tmp_path / f"{part}.xml").write_text(f"<testsuite>{cases}</testsuite>")
    monkeypatch.setattr("sys.argv", ["sum_junit.py", "--total", str(tmp_path), "unit:0", "asan:0"])
    assert sum_junit.main() == 0
    assert capsys.readouterr().out.splitlines()[-1] == "3 passed, 0 failed, 1 skipped"
