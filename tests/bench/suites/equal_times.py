"""what rejections take for an unknown user, a wrong password and a disabled account, cold and cached: equal or not

10,000 timings of each, in random order, by one caller on one connection over a unix socket, so that little else is in
them. Of the users file, and of a slapd. What is told: the AUC (harness/effect.py), and the difference of medians.
"""

import dataclasses
import functools
import pathlib
import random
import time
from collections.abc import Callable, Mapping, Sequence

import configs
import grpc
import slapd
import stubs
from harness import peers, process, servers, workload
from harness.bench import Bench, BenchError, MissingError
from harness.effect import Interval, auc, auc_error
from harness.figures import Figure, Spread, Value
from harness.load import Endpoint
from stubs import authenticate_pb2

FULL, QUICK = 10_000, 500
WARM_UP = 500
METHOD = "/credcache.v1.AuthService/Authenticate"
UNKNOWN, WRONG, DISABLED = "unknown", "wrong", "disabled"
TITLES = {UNKNOWN: "unknown user", WRONG: "wrong password", DISABLED: "disabled account"}
# As long as a run of this takes, what was rejected stays so.
CACHE = {"negative": {"first": "30m", "longest": "30m"}}
FILE, SLAPD = workload.REALM, "slapd.example"  # the realms
# OpenLDAP's word for an account that an administrator has locked for good.
LOCKED = (("pwdAccountLockedTime", "000001010000Z"),)
# That a directory has locked an account is never remembered, whatever the password was.
NEVER_CACHED = {("slapd", DISABLED)}


@dataclasses.dataclass(frozen=True)
class Question:
    kind: str
    message: bytes

    @classmethod
    def of(cls, kind: str, realm: str, user: int) -> "Question":
        """Each with a password of its own; all are of the same size within a realm."""
        return cls(
            kind,
            authenticate_pb2.AuthenticateRequest(
                password=authenticate_pb2.PasswordCredential(
                    realm=realm, username=workload.username(user), password=workload.wrong_password(user).encode()
                ),
                context=authenticate_pb2.RequestContext(protocol="imap", client_address="192.0.2.17"),
            ).SerializeToString(),
        )


Times = dict[str, list[float]]  # of each kind, in microseconds


def run(bench: Bench) -> None:
    count = QUICK if bench.effort.quick else FULL
    draws = random.Random(1)
    known = WARM_UP + 2 * count  # the warm-up's users, then those who type wrongly, then the disabled
    realms = [configs.realm(configs.users_file(write_users(bench, known, count)))]
    backends = {"file": FILE}
    try:
        realms.append(directory_realm(bench, known, count))
        backends["slapd"] = SLAPD
    except MissingError as why:
        bench.lacks("slapd", str(why), *(f"equal_times.slapd_{name}" for name in figure_names()))
    server = servers.start_credcached(bench, realms=realms, throttle=configs.UNTHROTTLED, cache=CACHE)
    for backend, realm in backends.items():
        ask = caller(bench, server.unix)
        sources = dict.fromkeys(TITLES, stubs.BACKEND)
        measure([Question.of(WRONG, realm, user) for user in range(WARM_UP)], ask, sources)
        questions = [
            *(Question.of(UNKNOWN, realm, workload.FIRST_UNKNOWN_USER + number) for number in range(count)),
            *(Question.of(WRONG, realm, WARM_UP + number) for number in range(count)),
            *(Question.of(DISABLED, realm, WARM_UP + count + number) for number in range(count)),
        ]
        for state in ("cold", "cached"):
            bench.say(f"{backend}, {state}: {count} of each kind")
            draws.shuffle(questions)
            bench.add(*figures(f"{backend}_{state}", measure(questions, ask, sources), draws))
            sources = {kind: stubs.BACKEND if (backend, kind) in NEVER_CACHED else stubs.CACHE for kind in TITLES}


def figure_names() -> list[str]:
    return [f"{state}_{kind}" for state in ("cold", "cached") for kind in (UNKNOWN, DISABLED)]


def write_users(bench: Bench, known: int, disabled: int) -> pathlib.Path:
    path = servers.write_users(bench.folder / "users", known)
    lines = path.read_text().splitlines()
    lines[-disabled:] = [line + ":disabled" for line in lines[-disabled:]]
    path.write_text("".join(line + "\n" for line in lines))
    return path


def directory_realm(bench: Bench, known: int, disabled: int) -> dict:
    """The same users in slapd, with the same hashes; the disabled ones are locked by ppolicy."""
    process.need("slapd", "slapd")
    passwords = [workload.password(number) for number in range(known)]
    hashes = servers.crypt_all(passwords, "-5", "rounds=1000$benchmarksalt")
    people = [
        slapd.User(
            workload.username(number),
            password,
            hashed=f"{{CRYPT}}{hash_}",
            policy="lock",
            operational=LOCKED if number >= known - disabled else (),
        )
        for number, (password, hash_) in enumerate(zip(passwords, hashes, strict=True))
    ]
    directory = peers.start_slapd(bench, people)
    return configs.realm(configs.ldap(directory, folder=bench.folder / "secrets"), name=SLAPD)


def caller(bench: Bench, endpoint: Endpoint) -> Callable[[bytes], bytes]:
    """Messages as bytes: what gRPC takes besides is the same for all."""
    channel = grpc.insecure_channel(endpoint.address)
    bench.stack.callback(channel.close)
    return functools.partial(channel.unary_unary(METHOD), timeout=10, wait_for_ready=True)


def measure(questions: Sequence[Question], ask: Callable[[bytes], bytes], sources: Mapping[str, int]) -> Times:
    """Asks them in this order; any answer but a rejection from where its kind comes from does not count."""
    times: Times = {kind: [] for kind in TITLES}
    for question in questions:
        begin = time.perf_counter_ns()
        answer = ask(question.message)
        taken = time.perf_counter_ns() - begin
        response = authenticate_pb2.AuthenticateResponse.FromString(answer)
        if (response.outcome, response.source) != (stubs.REJECTED, sources[question.kind]):
            raise BenchError(f"{TITLES[question.kind]}: answered {response.outcome} from {response.source}")
        times[question.kind].append(taken / 1000)
    return times


def figures(name: str, times: Times, draws: random.Random) -> list[Figure]:
    """Each other kind beside a wrong password."""
    result = []
    base = times[WRONG]
    medians = {kind: Value(TITLES[kind], Spread.of(found).median, "us") for kind, found in times.items()}
    for kind in (UNKNOWN, DISABLED):
        size = auc(times[kind], base)
        beside = f"{TITLES[kind]} beside {TITLES[WRONG]}, {len(base):,} each"
        values = (
            Value("AUC", size, ""),
            Value("Cliff's delta", 2 * size - 1, ""),
            Value("standard error of the AUC", auc_error(len(times[kind]), len(base)), ""),
        )
        difference = Interval.of_medians(times[kind], base, draws)
        result += [
            Figure(f"equal_times.{name}_{kind}", f"{beside}: |AUC - 0.5|", Spread.of([abs(size - 0.5)]), "", values),
            Figure(
                f"equal_times.{name}_{kind}_difference",
                f"{beside}: difference of medians (95 % of bootstraps)",
                Spread(difference.value, difference.low, difference.high, len(base)),
                "us",
                (medians[kind], medians[WRONG]),
            ),
        ]
    return result
