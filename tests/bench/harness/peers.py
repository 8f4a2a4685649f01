"""The programs that credcached is measured beside, each started for real in a folder of its own, with the same users.

Each function starts one and returns where credcache-peer-load finds it; the program ends with `bench.stack`. What
cannot be had here is a MissingError that says which package brings it.
"""

import base64
import getpass
import hashlib
import os
import pathlib
import signal
import subprocess

import slapd
import waiting

from harness import process, servers, workload
from harness.bench import Bench, BenchError, MissingError

_SASLDB = pathlib.Path("/etc/sasldb2")  # as saslauthd has it built in


def saslauthd(bench: Bench, users: int) -> str:
    """saslauthd with its cache (-c) over sasldb, five processes, as it comes.

    It reads its database from one place only: a copy of ours is laid over that, seen by it alone.
    """
    program = process.need("saslauthd", "sasl2-bin")
    set_password = process.need("saslpasswd2", "sasl2-bin")
    if not _SASLDB.exists():
        raise MissingError(f"{_SASLDB} is not here (Debian package sasl2-bin makes it)")
    folder = _folder(bench, "saslauthd")
    database = folder / "sasldb2"
    bench.say(f"saslauthd: writing {users} users, one by one")
    for number in range(users):
        command = [set_password, "-f", str(database), "-c", "-p", "-u", workload.REALM, workload.username(number)]
        subprocess.run(command, input=workload.password(number), text=True, check=True, capture_output=True, timeout=20)
    apart = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--mount"]
    start = 'mount --bind "$1" "$2" && exec "$3" -a sasldb -c -m "$4" -n 5'
    command = [*apart, "sh", "-c", start, "sh", str(database), str(_SASLDB), program, str(folder)]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
    if result.returncode != 0:
        raise MissingError(f"saslauthd does not start here: {(result.stderr or result.stdout).strip()[-300:]}")
    # It has gone into the background; the first process ends the others.
    pid_file, socket = folder / "saslauthd.pid", folder / "mux"
    waiting.until(lambda: process.connects(socket), "saslauthd answers")
    bench.stack.callback(_end_daemon, pid_file)
    return f"unix:{socket}"


def _end_daemon(pid_file: pathlib.Path) -> None:
    pid = int(pid_file.read_text())
    os.kill(pid, signal.SIGTERM)
    waiting.until(lambda: not _runs(pid), f"process {pid} has ended")


def _runs(pid: int) -> bool:
    """Nobody may wait for a daemon but the first process, which may be slow: a zombie has ended too."""
    try:
        return ") Z " not in pathlib.Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False


def dovecot_file(bench: Bench, users: int) -> str:
    """Dovecot auth over a passwd-file with the cheapest hash that anybody uses, SHA256: its best."""
    folder = _folder(bench, "dovecot_file")
    lines = []
    for number in range(users):
        digest = hashlib.sha256(workload.password(number).encode()).digest()
        lines.append(f"{workload.username(number)}:{{SHA256}}{base64.b64encode(digest).decode()}\n")
    (folder / "users").write_text("".join(lines))
    return _dovecot(bench, folder, f"passdb {{\n  driver = passwd-file\n  args = {folder}/users\n}}")


def dovecot_ldap(bench: Bench, url: str) -> str:
    """Dovecot auth over LDAP binds, with its cache: after a first round, that answers everything."""
    if not pathlib.Path("/usr/lib/dovecot/modules/auth/libauthdb_ldap.so").exists():
        raise MissingError("Dovecot's LDAP driver is not here (Debian package dovecot-ldap)")
    folder = _folder(bench, "dovecot_ldap")
    (folder / "ldap.conf").write_text(
        f"uris = {url}\nauth_bind = yes\nauth_bind_userdn = uid=%u,{slapd.PEOPLE}\nbase = {slapd.PEOPLE}\n"
    )
    passdb = f"passdb {{\n  driver = ldap\n  args = {folder}/ldap.conf\n}}"
    cache = "auth_cache_size = 64M\nauth_cache_ttl = 1h\nauth_cache_negative_ttl = 0"
    return _dovecot(bench, folder, f"{cache}\n{passdb}")


def _dovecot(bench: Bench, folder: pathlib.Path, passdb: str) -> str:
    program = process.need("dovecot", "dovecot-core")
    socket = folder / "run" / "auth-client"
    user = "" if os.geteuid() == 0 else f"default_internal_user = {getpass.getuser()}\n"
    user += "" if os.geteuid() == 0 else f"default_login_user = {getpass.getuser()}\n"
    config = folder / "dovecot.conf"
    config.write_text(f"""\
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
protocols =
ssl = no
{user}auth_mechanisms = plain
{passdb}
userdb {{
  driver = static
  args = uid=65534 gid=65534 home=/nonexistent
}}
service auth {{
  user = {getpass.getuser()}
  client_limit = 4096
  unix_listener auth-client {{
    mode = 0600
    user = {getpass.getuser()}
  }}
}}
""")
    process.start_listening(bench.stack, [program, "-F", "-c", str(config)], folder, socket)
    return f"unix:{socket}"


def directory(bench: Bench, users: int) -> slapd.Slapd:
    """slapd without a word in its log, with hashes that cost it nothing ({SSHA})."""
    process.need("slapd", "slapd")
    people = [slapd.User(workload.username(number), workload.password(number)) for number in range(users)]
    return start_slapd(bench, people)


def slow_directory(bench: Bench, users: int) -> slapd.Slapd:
    """The same with hashes that take it milliseconds: crypt(3)'s $6$ with 5,000 rounds."""
    process.need("slapd", "slapd")
    passwords = [workload.password(number) for number in range(users)]
    hashes = servers.crypt_all(passwords, "-6", "benchmarksalt")
    people = [
        slapd.User(workload.username(number), password, hashed=f"{{CRYPT}}{hash_}")
        for number, (password, hash_) in enumerate(zip(passwords, hashes, strict=True))
    ]
    return start_slapd(bench, people)


def start_slapd(bench: Bench, people: list[slapd.User]) -> slapd.Slapd:
    """One of these people, with a log that costs it nothing."""
    one = slapd.Slapd(_folder(bench, "slapd"), people, log_level=0)
    bench.stack.callback(one.stop)
    return one.start()


def nginx(bench: Bench, users: int) -> str:
    """nginx auth_basic over hashes of the kind $6$ with their usual 5,000 rounds."""
    program = process.need("nginx", "nginx-light")
    folder = _folder(bench, "nginx")
    hashes = servers.crypt_all([workload.password(number) for number in range(users)], "-6", "benchmarksalt")
    names = [workload.username(number) for number in range(users)]
    (folder / "users").write_text("".join(f"{name}:{hash_}\n" for name, hash_ in zip(names, hashes, strict=True)))
    (folder / "html").mkdir()
    (folder / "html" / "index.html").write_text("ok\n")
    port = waiting.free_port()
    temporary = "\n  ".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi"))
    temporary += "\n  " + "\n  ".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("uwsgi", "scgi"))
    user = "user root;\n" if os.geteuid() == 0 else ""
    config = folder / "nginx.conf"
    config.write_text(f"""\
{user}daemon off;
worker_processes auto;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  {temporary}
  server {{
    listen 127.0.0.1:{port};
    root {folder}/html;
    auth_basic "benchmark";
    auth_basic_user_file {folder}/users;
  }}
}}
""")
    process.start_listening(bench.stack, [program, "-p", str(folder), "-c", str(config), "-e", "stderr"], folder, port)
    return f"127.0.0.1:{port}"


def _folder(bench: Bench, name: str) -> pathlib.Path:
    folder = bench.folder / name
    try:
        folder.mkdir()
    except OSError as error:
        raise BenchError(f"{folder}: {error.strerror}") from error
    return folder
