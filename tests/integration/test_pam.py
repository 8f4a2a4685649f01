"""PAM stacks of real modules, and of modules that harm whoever runs them."""

import os
import pathlib
import signal
from typing import Any

import configs
import grpc
import pytest
import secrets_used
import waiting
from client import Client, Connect, fails, failure
from credcached import Credcached, Serve, is_about
from pam import DENY, Pam, build_module, helpers
from stubs import ACCEPTED, BACKEND, CACHE, REJECTED

UNAVAILABLE = grpc.StatusCode.UNAVAILABLE
PASSWORD = "password-of-all"
VICTIM = "victim"

# What a module does to its process when the victim logs on, and what the log says of it.
HARMS = {
    "crash": ("abort();", "killed by signal 6"),
    "fault": ("*(volatile int *)0 = 1;", "killed by signal 11"),
    "exit": ("exit(0);", "exited with status 0"),
    "hang": ("for (;;) pause();", "did not answer in time"),
    "garbage": ('for (int fd = 0; fd < 1024; fd++) write(fd, "\\0\\0\\0\\x10garbage, garbage", 21);', "no answer"),
    "silence": ("for (int fd = 0; fd < 1024; fd++) close(fd); for (;;) pause();", "closed its socket"),
    "text": ('for (int fd = 0; fd < 1024; fd++) dprintf(fd, "Welcome, %s!\\n", user);', "no answer"),
}


@pytest.fixture
def pam(tmp_path: pathlib.Path) -> Pam:
    """With alice and bob, users of the system."""
    stack = Pam(tmp_path / "pam")
    stack.add("alice", PASSWORD.encode(), groups=("staff", "admins"))
    stack.add("bob", PASSWORD.encode())
    return stack


def serving(serve: Serve, pam: Pam, service: str = "credcache", **more: Any) -> Credcached:
    """Each answer is the stack's, unless it is an acceptance."""
    realm = configs.realm(pam.config(service, **more))
    cache = {"quarantine": "0s", "negative": {"longest": "0s"}}
    config = configs.config(realm, cache=cache, throttle=configs.UNTHROTTLED)
    return serve(config, environment=pam.environment)


def outcome(client: Client, name: str, password: str = PASSWORD) -> int:
    """As the stack says now."""
    return client.authenticate(name, password, max_age_seconds=0).outcome


def with_module(pam: Pam, name: str, body: str, control: str = "required") -> str:
    """A service whose stack is this module before the passwords."""
    module = build_module(pam.folder, name, body)
    pam.write_service(
        name,
        f"auth {control} {module}\nauth required pam_pwdfile.so pwdfile={pam.folder}/pwdfile\n"
        f"account required {module}\n",
    )
    return name


def gone(pid: int) -> bool:
    """Whether it has ended, though perhaps nobody has taken note of that yet."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return True
    return stat.rpartition(")")[2].split()[0] in "ZX"


def test_a_log_on_is_validated_once_and_then_answered_from_memory_as_the_right_person(
    pam: Pam, serve: Serve, connect: Connect
) -> None:
    client = connect(serving(serve, pam))
    first = client.authenticate("Alice", PASSWORD)
    assert (first.outcome, first.source) == (ACCEPTED, BACKEND)
    assert (first.identity.username, first.identity.subject) == ("alice", str(pam.uid("alice")))
    assert sorted(first.identity.groups) == ["admins", "staff"]
    assert client.authenticate("alice", PASSWORD).source == CACHE


def test_users_who_are_not_the_systems_have_nothing_of_it(pam: Pam, serve: Serve, connect: Connect) -> None:
    pam.write_service(
        "virtual", f"auth required pam_pwdfile.so pwdfile={pam.folder}/pwdfile\naccount required pam_permit.so\n"
    )
    pam.add("carol", PASSWORD.encode(), system=False)
    both = connect(serving(serve, pam, "virtual"))
    assert both.authenticate("carol", PASSWORD).identity.subject == "corp.example/carol"
    assert both.authenticate("alice", PASSWORD).identity.subject == str(pam.uid("alice"))
    none = connect(serving(serve, pam, "virtual", system_users=False))
    alice = none.authenticate("alice", PASSWORD).identity
    assert (alice.subject, list(alice.groups)) == ("corp.example/alice", [])


@pytest.mark.parametrize("harm", HARMS)
def test_a_module_that_harms_its_process_costs_that_log_on_alone(
    pam: Pam, serve: Serve, connect: Connect, harm: str
) -> None:
    body, told = HARMS[harm]
    pam.add(VICTIM, PASSWORD.encode())
    service = with_module(pam, "harm", f'if (!strcmp(user, "{VICTIM}")) {{ {body} }} return PAM_SUCCESS;')
    server = serving(serve, pam, service, workers=1, timeout="1s")
    client = connect(server)
    for _ in range(2):
        assert outcome(client, "alice") == ACCEPTED
        with fails(UNAVAILABLE):
            client.authenticate(VICTIM, PASSWORD)
        assert outcome(client, "alice") == ACCEPTED, "the next helper answers"
        assert outcome(client, "alice", "not-the-password") == REJECTED
    server.wait_for_log(lambda line: line.get("kind") == "pam_helper" and is_about(line, told, "corp.example"), told)
    assert [entry.username for entry in [client.authenticate("alice", PASSWORD).identity]] == ["alice"]
    assert client.stats().cache.entries == 1, "nobody else was let in"


def test_helpers_that_crash_at_every_log_on_are_paused_and_service_comes_back_by_itself(
    pam: Pam, serve: Serve, connect: Connect
) -> None:
    marker = pam.folder / "crashing"
    marker.touch()
    service = with_module(pam, "crash", f'if (!access("{marker}", F_OK)) abort(); return PAM_SUCCESS;')
    client = connect(serving(serve, pam, service, workers=2, timeout="1s"))
    for _ in range(20):
        with fails(UNAVAILABLE):
            client.authenticate("alice", PASSWORD, max_age_seconds=0)
    marker.unlink()

    def accepted() -> bool:
        call = client.begin("alice", PASSWORD, max_age_seconds=0)
        return call.exception() is None and call.result().outcome == ACCEPTED

    waiting.until(accepted, "helpers are started again", every_seconds=0.05)


def test_a_modules_child_that_comes_back_from_it_answers_nobody(pam: Pam, serve: Serve, connect: Connect) -> None:
    service = with_module(pam, "fork", "fork(); return PAM_SUCCESS;")
    client = connect(serving(serve, pam, service, workers=1))
    for _ in range(3):
        assert outcome(client, "alice") == ACCEPTED
        assert outcome(client, "alice", "not-the-password") == REJECTED


def test_a_helper_is_closed_to_others_and_holds_nothing_of_the_services(
    pam: Pam, serve: Serve, connect: Connect
) -> None:
    service = with_module(
        pam,
        "inside",
        "int open_ones = 0; for (int fd = 3; fd < 65536; fd++) open_ones += dup2(fd, fd) == fd;\n"
        "  const void *host = 0; pam_get_item(handle, PAM_RHOST, &host);\n"
        "  sigset_t blocked; sigprocmask(SIG_BLOCK, 0, &blocked);\n"
        "  if (prctl(PR_GET_DUMPABLE) != 0) return PAM_ABORT;\n"
        "  if (open_ones != 1) return PAM_SYSTEM_ERR;\n"
        "  if (host) return PAM_BUF_ERR;\n"
        "  if (sigismember(&blocked, SIGTERM)) return PAM_SERVICE_ERR;\n"
        "  return PAM_SUCCESS;",
    )
    server = serving(serve, pam, service)
    assert outcome(connect(server), "alice") == ACCEPTED


def test_a_password_is_in_no_command_line_and_no_environment(pam: Pam, serve: Serve, connect: Connect) -> None:
    server = serving(serve, pam)
    client = connect(server)
    for password in (PASSWORD, "not-the-password"):
        outcome(client, "alice", password)
    for pid in [server.pid, *helpers(server)]:
        for file in ("cmdline", "environ"):
            text = pathlib.Path(f"/proc/{pid}/{file}").read_bytes()
            assert text
            assert not secrets_used.found_in(text)


def test_a_stack_that_asks_for_more_than_a_password_rejects_nobody(pam: Pam, serve: Serve, connect: Connect) -> None:
    service = with_module(
        pam, "code", 'char *code = 0; pam_prompt(handle, PAM_PROMPT_ECHO_ON, &code, "Code: "); return PAM_AUTH_ERR;'
    )
    server = serving(serve, pam, service)
    client = connect(server)
    for name in ("alice", "nobody-of-that-name"):
        with fails(UNAVAILABLE):
            client.authenticate(name, PASSWORD)
    server.wait_for_log(lambda line: line.get("kind") == "pam_stack" and is_about(line, "conversation"), "why")


def test_the_name_that_the_stack_ends_with_is_the_canonical_one(pam: Pam, serve: Serve, connect: Connect) -> None:
    service = with_module(
        pam, "alias", 'if (!strcmp(user, "postmaster")) pam_set_item(handle, PAM_USER, "Alice"); return PAM_SUCCESS;'
    )
    client = connect(serving(serve, pam, service))
    assert client.authenticate("postmaster", PASSWORD).outcome == REJECTED, "no Alice in the file"
    pam.add("Alice", PASSWORD.encode())
    assert client.authenticate("postmaster", PASSWORD).identity.username == "alice"
    client.invalidate(user="alice")
    assert client.authenticate("postmaster", PASSWORD).source == BACKEND


def test_wrong_passwords_lock_as_the_stack_says_and_the_audit_tells_locked(
    pam: Pam, serve: Serve, connect: Connect
) -> None:
    server = serving(serve, pam)
    client = connect(server)
    for number in range(DENY):
        assert outcome(client, "alice", f"not-the-password-{number}") == REJECTED
    assert outcome(client, "alice") == REJECTED
    server.wait_for_decisions(DENY, username="alice", reason="wrong_password")
    server.wait_for_decisions(1, username="alice", reason="locked")
    assert outcome(client, "bob") == ACCEPTED


def test_a_service_without_a_file_is_a_mistake_before_the_start_and_unavailable_after(
    pam: Pam, serve: Serve, connect: Connect
) -> None:
    client = connect(serving(serve, pam))
    pam.write_service("other", "auth required pam_permit.so\naccount required pam_permit.so\n")
    assert outcome(client, "alice", "not-the-password") == REJECTED
    (pam.services / "other").unlink()
    (pam.services / "credcache").unlink()
    error = failure(client.begin("alice", PASSWORD).exception())
    assert error.code == UNAVAILABLE


def test_helpers_end_with_the_service(pam: Pam, serve: Serve, connect: Connect) -> None:
    server = serving(serve, pam, workers=3)
    client = connect(server)
    pam.freeze()
    calls = [client.begin(name, PASSWORD) for name in ("alice", "bob", "nobody-of-that-name")]
    waiting.until(lambda: len(helpers(server)) == 3, "each worker has a helper")
    pam.thaw()
    assert [call.result().outcome for call in calls] == [ACCEPTED, ACCEPTED, REJECTED]
    pids = helpers(server)
    # Signals that are meant for the service: it still answers what is under way.
    for pid in pids:
        os.kill(pid, signal.SIGTERM)
    assert outcome(client, "alice") == ACCEPTED
    assert helpers(server) == pids
    server.stop()
    waiting.until(lambda: all(map(gone, pids)), "they have ended")


def test_helpers_end_with_a_service_that_is_killed(pam: Pam, serve: Serve, connect: Connect) -> None:
    """Those that hang, too."""
    service = with_module(pam, "hang", f'if (!strcmp(user, "{VICTIM}")) for (;;) pause(); return PAM_SUCCESS;')
    server = serving(serve, pam, service, workers=2, timeout="30s")
    client = connect(server)
    call = client.begin(VICTIM, PASSWORD)
    waiting.until(lambda: outcome(client, "alice") == ACCEPTED and len(helpers(server)) == 2, "one hangs, one does not")
    pids = helpers(server)
    server.kill()
    assert call.exception()
    waiting.until(lambda: all(map(gone, pids)), "they have ended")


def test_a_helper_that_somebody_killed_is_replaced_before_anybody_notices(
    pam: Pam, serve: Serve, connect: Connect
) -> None:
    server = serving(serve, pam, workers=1)
    client = connect(server)
    assert outcome(client, "alice") == ACCEPTED
    (pid,) = helpers(server)
    os.kill(pid, signal.SIGKILL)
    waiting.until(lambda: gone(pid), "it has ended")
    assert outcome(client, "alice") == ACCEPTED
    server.wait_for_log(lambda line: line.get("kind") == "pam_helper" and is_about(line, "signal 9"), "that it ended")
