#!/usr/bin/env python3
"""Runs clang-tidy over our own sources, in parallel, and remembers what was clean.

tidy.py --build FOLDER [--jobs N] SOURCE...: FOLDER has compile_commands.json and the headers that are generated. A
source is looked at again only when it, a header of ours that it includes, a proto, its command or a .clang-tidy has
changed. Headers are looked at through the sources that include them.
"""

import argparse
import concurrent.futures
import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

TIDY = "clang-tidy-16"
ROOT = Path(__file__).parents[2]
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)
ROOTS = re.compile(r"-I\s*(\S+)")


def includes(file: Path, roots: list[Path], seen: set[Path]) -> set[Path]:
    """The file, and all headers of ours that it includes, found as the compiler finds them; added to `seen`."""
    if file in seen:
        return seen
    seen.add(file)
    for name in INCLUDE.findall(file.read_text(encoding="utf-8")):
        found = next((path for root in [file.parent, *roots] if (path := (root / name).resolve()).is_file()), None)
        if found is not None and found.is_relative_to(ROOT) and "build" not in found.relative_to(ROOT).parts:
            includes(found, roots, seen)
    return seen


def fingerprint(command: str, files: set[Path], settings: bytes) -> str:
    digest = hashlib.sha256(settings + command.encode())
    for file in sorted(files):
        digest.update(str(file).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def run(build: Path, source: Path) -> subprocess.CompletedProcess[str]:
    command = [TIDY, "--quiet", "-p", str(build), str(source)]
    return subprocess.run(command, capture_output=True, check=False, text=True)


def main() -> int:
    parser = argparse.ArgumentParser(description="Runs clang-tidy over our own sources.")
    parser.add_argument("--build", type=Path, required=True, help="has compile_commands.json")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("sources", nargs="+", type=Path)
    arguments = parser.parse_args()
    build = arguments.build.resolve()
    settings = b"".join(
        file.read_bytes()
        for pattern in (".clang-tidy", "tests/**/.clang-tidy", "protos/**/*.proto")
        for file in sorted(ROOT.glob(pattern))
    )
    wanted = {source.resolve() for source in arguments.sources}
    known = build / "tidy"
    known.mkdir(exist_ok=True)

    pending: dict[Path, Path] = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        source = (Path(entry["directory"]) / entry["file"]).resolve()
        if source in wanted:
            roots = [Path(entry["directory"], root) for root in ROOTS.findall(entry["command"])]
            pending[source] = known / fingerprint(entry["command"], includes(source, roots, set()), settings)
    dirty = {source: stamp for source, stamp in pending.items() if not stamp.exists()}
    print(f"{len(pending)} sources, {len(dirty)} to look at")

    failed = 0
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        runs = {pool.submit(run, build, source): source for source in sorted(dirty)}
        for number, done in enumerate(concurrent.futures.as_completed(runs), start=1):
            source, result = runs[done], done.result()
            print(f"[{number}/{len(runs)}] {source.relative_to(ROOT)}", flush=True)
            if result.returncode == 0:
                dirty[source].touch()
            else:
                failed += 1
                print(result.stdout.strip() or result.stderr.strip(), flush=True)
    print(f"clang-tidy: {failed} sources with findings")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
