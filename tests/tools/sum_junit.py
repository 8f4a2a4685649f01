#!/usr/bin/env python3
"""Sums up test results: sum_junit.py [--total] FOLDER PART:STATUS...

Reads FOLDER/PART.xml (JUnit, from ctest or pytest) of each part, names what failed, and prints one line a part. With
--total the last line is the sum of all parts, "N passed, N failed[, N skipped]". STATUS is what the part's command
returned: a part that failed without a failed test (it did not build, say), or of which no test ran, counts as one
failure. Exits 1 on any failure.
"""

import argparse
import pathlib
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field


@dataclass
class Count:
    passed: int = 0
    skipped: int = 0
    failures: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {len(self.failures)} failed{skipped}"

    def add(self, other: "Count") -> None:
        self.passed += other.passed
        self.skipped += other.skipped
        self.failures += other.failures


def verdict(case: ElementTree.Element) -> str:
    """passed, skipped or failed. ctest reports a program that is missing as skipped; to us it has failed."""
    if case.find("failure") is not None or case.find("error") is not None:
        return "failed"
    skipped = case.find("skipped")
    if skipped is None:
        return "passed"
    by_ctest = case.get("status") == "notrun"
    return "failed" if by_ctest and "SKIP_" not in skipped.get("message", "") else "skipped"


def count(path: pathlib.Path) -> Count:
    result = Count()
    for case in ElementTree.parse(path).iter("testcase"):
        outcome = verdict(case)
        if outcome == "passed":
            result.passed += 1
        elif outcome == "skipped":
            result.skipped += 1
        else:
            result.failures.append(".".join(filter(None, (case.get("classname"), case.get("name")))))
    return result


def count_part(folder: pathlib.Path, part: str, status: int) -> Count:
    path = folder / f"{part}.xml"
    try:
        result = count(path)
    except (OSError, ElementTree.ParseError):
        result = Count(failures=["(no results: it did not build, or did not run)"])
    if not result.passed and not result.failures:
        result.failures.append("(no test ran)")
    elif status != 0 and not result.failures:
        result.failures.append(f"(the part ended with status {status})")
    return result


def main() -> int:
    parser = argparse.ArgumentParser(description="Sums up test results.")
    parser.add_argument("--total", action="store_true", help="end with the sum of all parts")
    parser.add_argument("folder", type=pathlib.Path, help="where PART.xml is")
    parser.add_argument("parts", nargs="+", metavar="PART:STATUS")
    arguments = parser.parse_args()
    total = Count()
    for argument in arguments.parts:
        part, status = argument.split(":")
        result = count_part(arguments.folder, part, int(status))
        for name in result.failures:
            print(f"    failed: {part}: {name}")
        print(f"    {part}: {result}")
        total.add(result)
    if arguments.total:
        print(total)
    return 1 if total.failures or not total.passed else 0


if __name__ == "__main__":
    sys.exit(main())
