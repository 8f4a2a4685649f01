"""Finds bytes in the memory of another process, and says by what stands around them whose they probably are."""

import dataclasses
import pathlib
import re

# Read in pieces, so that a large heap costs little memory here.
_PIECE = 16 << 20


@dataclasses.dataclass(frozen=True)
class Occurrence:
    """Where, in what kind of mapping, and between what."""

    address: int
    mapping: str
    before: bytes
    after: bytes

    def owner(self, secret: bytes) -> str:
        """`grpc`: inside a serialised request, as it came from the wire. `ldap`: inside a bind request, as it goes to
        the wire. `ours`: anything else, such as a copy of the password alone."""
        length = bytes([len(secret)])
        if self.before.endswith(b"\x1a" + length):  # PasswordCredential.password, field 3
            return "grpc"
        if self.before.endswith(b"\x80" + length):  # BindRequest.authentication.simple, RFC 4511
            return "ldap"
        return "ours"


def find(pid: int, secret: bytes) -> list[Occurrence]:
    """All occurrences in memory that the process can read."""
    found = []
    with pathlib.Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines():
            start, end, access, name = re.match(r"(\w+)-(\w+) (\S+) \S+ \S+ \S+\s*(.*)", line).groups()
            if "r" not in access or name in ("[vvar]", "[vsyscall]"):
                continue
            found += _find_in(memory, int(start, 16), int(end, 16), name or "anonymous", secret)
    return found


def _find_in(memory, start: int, end: int, name: str, secret: bytes) -> list[Occurrence]:
    found = []
    margin = len(secret) + 64
    for at in range(start, end, _PIECE):
        try:
            memory.seek(max(at - margin, start))
            piece_start = memory.tell()
            piece = memory.read(min(at + _PIECE + margin, end) - piece_start)
        except (OSError, ValueError):
            return found  # protected, or gone since
        for match in re.finditer(re.escape(secret), piece):
            address = piece_start + match.start()
            if at <= address < at + _PIECE:
                around = piece[max(match.start() - 64, 0) : match.start()], piece[match.end() : match.end() + 64]
                found.append(Occurrence(address, name, *around))
    return found
