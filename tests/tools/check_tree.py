#!/usr/bin/env python3
"""Checks that the tree keeps to its own rules, those that compilers and linters do not know.

check_tree.py [ROOT]: prints each breach as "path:line: what is wrong", and exits 1 when there is one. Looks at the
files that git knows or would add. The rules are the tables and functions below; test_check_tree.py shows each fail.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

# All top-level names, dotfiles of tools aside.
TOP_LEVEL = {"CMakeLists.txt", "CMakePresets.json", "README.md", "clients", "dev", "helm", "protos", "service", "tests"}

# Which folders of service/ a folder may include and link, beside itself. Single files differ: `may_include`.
EVERYTHING_BUT_BACKENDS = {
    *("audit", "base", "cache", "config", "journal", "metrics", "negotiate", "peer", "session", "validator"),
}
FOLDERS: dict[str, set[str]] = {
    "base": set(),
    "audit": {"base"},
    "cache": {"base"},
    "config": {"base"},
    "journal": {"base"},
    "metrics": {"base"},
    "session": {"base"},
    "validator": {"base", "cache", "metrics"},
    "negotiate": {"base", "session", "validator"},
    "peer": {"base", "journal", "validator"},
    "backends": {"base", "validator"},
    "rpc": EVERYTHING_BUT_BACKENDS,
}

# Headers of others, and the only places of service/ that may include them: folders, and how files there begin.
THIRD_PARTY = {
    re.compile(r"(google/(protobuf|rpc)/.*|.*\.pb\.h)$"): ("rpc/", "config/", "peer/", "journal/", "backends/remote"),
    re.compile(r"(grpc|grpcpp)/"): ("rpc/", "peer/", "backends/remote", "app."),
    re.compile(r"(ldap|lber|ldap_schema)\.h$"): ("backends/ldap",),
    re.compile(r"(krb5(/.*)?|profile|com_err)\.h$"): ("backends/kerberos",),
    re.compile(r"(crypt|argon2|stringprep)\.h$"): ("backends/",),
    re.compile(r"security/"): ("backends/pam",),
    re.compile(r"libpq-fe\.h$"): ("backends/postgres",),
    re.compile(r"yaml-cpp/"): ("config/",),
    re.compile(r"prometheus/"): ("metrics/", "rpc/"),
    re.compile(r"(civetweb|CivetServer)\.h$"): ("rpc/",),
    re.compile(r"openssl/"): ("base/", "cache/", "rpc/", "session/", "peer/", "backends/"),
}

CPP = {".cc", ".h"}
CODE = CPP | {".c", ".go", ".java", ".js", ".proto", ".py", ".sh", ".ts"}
MOST_LINES = 500

GENERATED = re.compile(
    r"\.pb\.(h|cc|go)$|_pb2(_grpc)?\.pyi?$|\.(a|class|exe|jar|o|pyc|so|tgz|whl)$|(^|/)compile_commands\.json$"
)

# Words that C++ here does without, and what to use instead.
FORBIDDEN_CPP = {
    re.compile(
        r"\bstd::(recursive_|shared_|timed_)*mutex\b|\bstd::condition_variable"
    ): "absl::Mutex, not the standard's",
    re.compile(r"\bcatch\s*\(\s*\.\.\.\s*\)"): "no catch (...): name what is caught",
}
SLEEP = re.compile(r"\b(sleep_for|sleep_until|SleepFor|usleep|nanosleep)\s*\(|\btime\.sleep\s*\(")

INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^">]+)[">]')
LINKED = re.compile(r"\bcredcache_([a-z_]+)\b")


@dataclass(frozen=True)
class Source:
    path: PurePosixPath  # from the root
    lines: list[str]

    def numbered(self) -> Iterator[tuple[int, str]]:
        return enumerate(self.lines, start=1)


def without_comment(line: str) -> str:
    """The line without strings and a trailing // comment: enough for the words that are looked for here."""
    return re.sub(r'"(\\.|[^"\\])*"', '""', line).split("//")[0]


def may_include(path: PurePosixPath, header: str) -> bool:
    """Whether service/`path` may include service/`header`; both without "service/"."""
    if path.stem in ("app", "main") and len(path.parts) == 1:
        return path.stem == "app" or not header.startswith("backends/")
    folder, other = path.parts[0], PurePosixPath(header).parts[0]
    if folder == other:
        return True
    if folder == "backends":
        return (path.stem == "factory" and other == "config") or other == "base" or header == "validator/validator.h"
    return other in FOLDERS.get(folder, set())


def check_includes(source: Source) -> Iterator[tuple[int, str]]:
    """Who may include whom (design, section 3). Tests may include what they test."""
    top = source.path.parts[0]
    for number, line in source.numbered():
        match = INCLUDE.match(line)
        if not match:
            continue
        header = match[1]
        ours = PurePosixPath(header).parts[0] in FOLDERS or header == "app.h"
        if top == "clients" and (header.startswith("service/") or (ours and not header.endswith(".pb.h"))):
            yield number, f"clients never include the service's {header}"
        if top == "service":
            inner = source.path.relative_to("service")
            if ours and not may_include(inner, header):
                yield number, f"{inner.parts[0]} may not include {header}"
            for pattern, places in THIRD_PARTY.items():
                if pattern.match(header) and not str(inner).startswith(places):
                    yield number, f"{header} belongs to {', '.join(places)}"


def check_links(source: Source) -> Iterator[tuple[int, str]]:
    """A folder's CMakeLists.txt links no more than the folder may include."""
    folder = source.path.parts[1]
    for number, line in source.numbered():
        for name in LINKED.findall(line.split("#")[0]):
            if name not in FOLDERS or name == folder:
                continue
            if source.path.parts[0] == "clients":
                yield number, f"clients never link the service's {name}"
            elif folder in FOLDERS and name not in FOLDERS[folder] and (folder, name) != ("backends", "config"):
                yield number, f"{folder} may not link {name}"


def check_words(source: Source) -> Iterator[tuple[int, str]]:
    for number, line in source.numbered():
        code = without_comment(line)
        if source.path.suffix in CPP:
            for pattern, instead in FORBIDDEN_CPP.items():
                if pattern.search(code):
                    yield number, instead
        if source.path.is_relative_to("tests/unit") and SLEEP.search(code):
            yield number, "a unit test never sleeps: inject the clock, or wait for the event itself"


def check_built(root: Path, source: Source) -> Iterator[tuple[int, str]]:
    """Sources are named one by one in their folder's CMakeLists.txt: one that is not is dead."""
    listing = root / source.path.parent / "CMakeLists.txt"
    if not listing.exists() or not re.search(rf"(^|[\s(]){re.escape(source.path.name)}\b", listing.read_text()):
        yield 1, f"not named in {source.path.parent}/CMakeLists.txt"


def check_file(root: Path, path: PurePosixPath) -> Iterator[tuple[int, str]]:
    if path.parts[0] not in TOP_LEVEL and not path.parts[0].startswith("."):
        yield 1, f"{path.parts[0]} is not among the top-level names of the design"
    if GENERATED.search(str(path)):
        yield 1, "generated files are made at build, never committed"
        return
    is_cmake = path.name == "CMakeLists.txt"
    if path.suffix not in CODE and path != PurePosixPath("dev") and not is_cmake:
        return
    source = Source(path, (root / path).read_text(encoding="utf-8").splitlines())
    if len(source.lines) > MOST_LINES:
        yield MOST_LINES + 1, f"{len(source.lines)} lines: a file past {MOST_LINES} is two"
    if is_cmake and len(path.parts) > 2:
        yield from check_links(source)
    yield from check_words(source)
    if path.suffix in CPP:
        yield from check_includes(source)
    if path.suffix == ".cc" and path.parts[0] in ("service", "clients", "tests"):
        yield from check_built(root, source)


def check_tree(root: Path, paths: list[str]) -> list[str]:
    problems = []
    for path in sorted(map(PurePosixPath, paths)):
        if (root / path).is_file():
            problems += [f"{path}:{number}: {text}" for number, text in check_file(root, path)]
    return problems


def main() -> int:
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[2]
    command = ["git", "-C", str(root), "ls-files", "-co", "--exclude-standard", "-z"]
    listed = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    problems = check_tree(root, [path for path in listed.split("\0") if path])
    print("\n".join(problems) or "the tree keeps to its rules")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
