#!/usr/bin/env python3
"""read_memory.py PID < SECRET: where in a process's memory a byte string stands, for a person who looks into a find.

One line an occurrence: address, mapping and offset in it, whose it probably is (process_memory.py), and 32 bytes on
each side, with the secret, and pieces of it, masked. The secret comes from stdin, so that no process list shows it; one
newline at its end is removed. Exit: 0 none, 1 found, 2 usage or no access.
"""

import argparse
import bisect
import dataclasses
import pathlib
import re
import sys

import process_memory

CONTEXT = 32
# Fewer bytes of a secret, cut off by the context's edge, tell nothing that one could use.
SHORTEST_PIECE = 4


@dataclasses.dataclass(frozen=True, order=True)
class Mapping:
    """A line of /proc/PID/maps."""

    start: int
    end: int
    access: str
    name: str


def mappings(pid: int) -> list[Mapping]:
    lines = pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines()
    found = (re.match(r"(\w+)-(\w+) (\S+) \S+ \S+ \S+\s*(.*)", line).groups() for line in lines)
    return sorted(
        Mapping(int(start, 16), int(end, 16), access, name or "anonymous") for start, end, access, name in found
    )


def mapping_of(address: int, sorted_mappings: list[Mapping]) -> Mapping | None:
    at = bisect.bisect_right([mapping.start for mapping in sorted_mappings], address) - 1
    return sorted_mappings[at] if at >= 0 and address < sorted_mappings[at].end else None


def masked(context: bytes, secret: bytes) -> bytes:
    """Without the secret, nor a piece of one that begins or ends outside of it."""
    context = context.replace(secret, b"*" * len(secret))
    for size in range(min(len(secret) - 1, len(context)), SHORTEST_PIECE - 1, -1):
        if context.startswith(secret[-size:]):
            context = b"*" * size + context[size:]
        if context.endswith(secret[:size]):
            context = context[:-size] + b"*" * size
    return context


def printable(context: bytes) -> str:
    return "".join(chr(byte) if 0x20 <= byte < 0x7F and byte != 0x5C else f"\\x{byte:02x}" for byte in context)


def describe(occurrence: process_memory.Occurrence, mapping: Mapping | None, secret: bytes) -> str:
    before = printable(masked(occurrence.before, secret)[-CONTEXT:])
    after = printable(masked(occurrence.after, secret)[:CONTEXT])
    where = (
        f"{occurrence.mapping} gone"
        if mapping is None
        else (f"{mapping.name} {mapping.access} +{occurrence.address - mapping.start:#x}")
    )
    return f"{occurrence.address:#014x}  {where}  {occurrence.owner(secret)}  {before}[{len(secret)} bytes]{after}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pid", type=int)
    pid = parser.parse_args().pid
    secret = sys.stdin.buffer.read().removesuffix(b"\n")
    if len(secret) < SHORTEST_PIECE:
        parser.error(f"a byte string of at least {SHORTEST_PIECE} bytes is expected on stdin")
    try:
        known = mappings(pid)
        occurrences = process_memory.find(pid, secret)
    except OSError as error:
        parser.error(f"cannot read the memory of process {pid}: {error.strerror}")
    for occurrence in occurrences:
        print(describe(occurrence, mapping_of(occurrence.address, known), secret))
    print(f"{len(occurrences)} found" if occurrences else "none found")
    return 1 if occurrences else 0


if __name__ == "__main__":
    sys.exit(main())
