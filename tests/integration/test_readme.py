"""What README.md shows is run as it stands there, and what the documents link to exists."""

import os
import pathlib
import re
import select
import signal
import subprocess
import time
from collections.abc import Iterator

import configs
import pytest
import waiting
import yaml
from certs import CertificateAuthority
from client import Client
from credcached import CREDCACHED, Credcached
from pam import Pam
from postgres import DATABASE, Postgres, insert
from slapd import READER_PASSWORD, Slapd
from stubs import ACCEPTED, REJECTED, REPOSITORY, stats_pb2

README = (REPOSITORY / "README.md").read_text()
START_SECONDS = 120


def blocks(mark: str, language: str) -> list[str]:
    """The code blocks that stand behind `<!-- tested: mark -->`."""
    found = re.findall(rf"^<!-- tested: {mark} -->\n```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    assert found, f"README.md has no {language} block marked {mark}"
    return found


def shell(script: str, folder: pathlib.Path, **environment: str) -> str:
    """What a person would see who pastes this into a terminal; fails with the first command that does."""
    result = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", script],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, **environment},
    )
    assert result.returncode == 0, f"{script}\n{result.stdout}{result.stderr}"
    return result.stdout


class Run:
    """./dev run on free ports, in a folder of its own."""

    def __init__(self, folder: pathlib.Path):
        self.folder = folder
        self._output = ""
        self._process = subprocess.Popen(
            ["./dev", "run"],
            cwd=REPOSITORY,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, "CREDCACHE_PORT": "0", "CREDCACHE_RUN": str(folder)},
        )
        try:
            self.greeting = self._read_until("Ctrl-C ends the service")
        except AssertionError:
            self.end()
            raise
        ready = re.search(r"ready: gRPC on (\S+), admin HTTP on (\S+)", self.greeting)
        self.grpc, self.admin = ready[1], ready[2]

    def interrupt(self) -> tuple[int, str]:
        """Ctrl-C: the exit code, and what was said about it."""
        os.killpg(self._process.pid, signal.SIGINT)
        rest, _ = self._process.communicate(timeout=30)
        return self._process.returncode, rest.decode()

    def end(self) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGTERM)
            self._process.communicate(timeout=30)

    def _read_until(self, text: str) -> str:
        deadline = time.monotonic() + START_SECONDS
        descriptor = self._process.stdout.fileno()
        while text not in self._output:
            ready, _, _ = select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
            data = os.read(descriptor, 65536) if ready else b""
            assert data, f"./dev run did not get as far as {text!r}:\n{self._output}"
            self._output += data.decode()
        return self._output


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    run = Run(tmp_path_factory.mktemp("run"))
    yield run
    run.end()


@pytest.mark.timeout(300)
def test_dev_run_shows_the_backend_and_then_the_cache(running: Run) -> None:
    first, second = re.findall(r"\$ build/bin/credcachectl .*?source +(\w+)", running.greeting, re.DOTALL)
    assert (first, second) == ("BACKEND", "CACHE")


def test_the_first_steps_work(running: Run) -> None:
    for script in blocks("sample", "sh"):
        script = script.replace("build/bin/credcachectl", f"build/bin/credcachectl --address {running.grpc}")
        script = script.replace("127.0.0.1:9090", running.admin).replace("build/run", str(running.folder))
        shell(script, REPOSITORY, PASSWORD="correct horse")
    assert (running.folder / "users").read_text().count("bob:") == 1


def test_a_port_in_use_is_named(running: Run) -> None:
    port = running.grpc.rsplit(":", 1)[1]
    result = subprocess.run(
        ["./dev", "run"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "CREDCACHE_PORT": port, "CREDCACHE_RUN": str(running.folder / "second")},
    )
    assert result.returncode == 2
    assert f"port {port} " in result.stderr


def test_ctrl_c_ends_the_run_cleanly(running: Run) -> None:
    code, said = running.interrupt()
    assert code == 0
    assert "credcached ended with status 0" in said


def test_the_configuration_for_openldap_works(
    few: Slapd, authority: CertificateAuthority, tmp_path: pathlib.Path
) -> None:
    config = yaml.safe_load(blocks("ldap", "yaml")[0])
    ldap = config["realms"][0]["validators"][0]["ldap"]
    ldap["urls"] = [few.url]
    config["listen"] = {"grpc": "127.0.0.1:0", "admin": "127.0.0.1:0"}
    (tmp_path / "ca.pem").write_text(pathlib.Path(authority.certificate).read_text())
    secret = tmp_path / "reader.secret"
    secret.write_text(READER_PASSWORD)
    secret.chmod(0o600)
    (tmp_path / "alice.password").write_text("password-of-alice")
    check, start, *log_ons = blocks("ldap", "sh")[0].splitlines()
    binaries = str(CREDCACHED.parent)
    with Credcached(tmp_path, config) as service:
        shell(check.replace("build/bin", binaries), tmp_path)
        assert start == "build/bin/credcached --config credcached.yaml &"
        answers = []
        for line in log_ons:
            command = line.split("#")[0].replace(
                "build/bin/credcachectl", f"{binaries}/credcachectl --address {service.grpc}"
            )
            answers.append(shell(command + " --password-file alice.password", tmp_path))
    assert "BACKEND" in answers[0]
    assert "CACHE" in answers[1]


def test_the_configuration_for_postgresql_works(tmp_path: pathlib.Path) -> None:
    config = yaml.safe_load(blocks("postgres", "yaml")[0])
    config["listen"] = {"grpc": "127.0.0.1:0", "admin": "127.0.0.1:0"}
    with Postgres() as database:
        database.reset()
        configs.postgres(database, tmp_path)  # the file with the connection string
        shell(
            blocks("postgres", "sh")[0]
            .replace("build/bin", str(CREDCACHED.parent))
            .replace("psql corp", f"psql {DATABASE}"),
            tmp_path,
            PGHOST=str(database.folder),
            PGPORT=str(database.port),
            PGUSER="postgres",
        )
        sql = database.session()
        sql.run(insert("alice", configs.hashed("password-of-alice")))
        with Credcached(tmp_path, config) as service, Client(service.grpc) as client:
            waiting.until(
                lambda: client.stats().backends[0].feed == stats_pb2.BackendStats.FEED_STATE_UP, "the feed is up"
            )
            assert client.authenticate("alice", "password-of-alice").outcome == ACCEPTED
            sql.run("delete from account")
            waiting.until(
                lambda: client.authenticate("alice", "password-of-alice").outcome == REJECTED, "alice is gone"
            )


def test_the_configuration_for_pam_works(tmp_path: pathlib.Path) -> None:
    config = yaml.safe_load(blocks("pam", "yaml")[0])
    config["listen"] = {"grpc": "127.0.0.1:0", "admin": "127.0.0.1:0"}
    pam = Pam(tmp_path / "pam")
    pam.add("alice", b"password-of-alice")
    config["realms"][0]["validators"][0]["pam"]["config_folder"] = str(pam.services)  # not this machine's
    with (
        Credcached(tmp_path / "credcached", config, environment=pam.environment) as service,
        Client(service.grpc) as client,
    ):
        assert client.authenticate("alice", "password-of-alice").outcome == ACCEPTED
        assert client.authenticate("alice", "another").outcome == REJECTED


@pytest.mark.parametrize(
    "document", ["README.md", *sorted(str(p.relative_to(REPOSITORY)) for p in REPOSITORY.glob("service/docs/**/*.md"))]
)
def test_links_lead_somewhere(document: str) -> None:
    file = REPOSITORY / document
    links = re.findall(r"\]\((?!https?:)([^)#\s]+)", file.read_text())
    assert [link for link in links if not (file.parent / link).exists()] == []


def test_the_readme_names_every_command_of_dev() -> None:
    commands = set(re.findall(r"^\./dev (\w+)", shell("./dev help", REPOSITORY), re.MULTILINE))
    assert commands - set(re.findall(r"\./dev (\w+)", README)) == {"package"}
