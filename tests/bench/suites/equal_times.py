"""what rejections take for an unknown user, a wrong password and a disabled account, cold and cached: equal or not

10,000 timings of each, in random order, by one caller on one connection over a unix socket, so that little else is in
them. Of every kind of backend; of an expired password too, where a backend does not answer that like any other. What is
told: the AUC (harness/effect.py), and the difference of medians.
"""

import contextlib
import dataclasses
import functools
import random
import time
from collections.abc import Callable, Mapping, Sequence

import configs
import grpc
import stubs
from harness import crowds, servers, workload
from harness.bench import Bench, BenchError, MissingError
from harness.effect import Interval, auc, auc_error
from harness.figures import Figure, Spread, Value
from harness.load import Endpoint
from stubs import authenticate_pb2

FULL, QUICK = 10_000, 500
WARM_UP = 500
METHOD = "/credcache.v1.AuthService/Authenticate"
UNKNOWN, WRONG, DISABLED, EXPIRED = "unknown", "wrong", "disabled", "expired"
TITLES = {
    UNKNOWN: "unknown user",
    WRONG: "wrong password",
    DISABLED: "disabled account",
    EXPIRED: "expired password",
}
# As long as a run of this takes, what was rejected stays so; and a hundred accounts share few buckets.
CACHE = {"negative": {"first": "30m", "longest": "30m"}, "max_entries": 4_000_000}


@dataclasses.dataclass(frozen=True)
class Backend:
    """`accounts`: how many of each kind there are, where they are not cheap to make; each is asked for several wrong
    passwords then. 0: one for each question. `remembers_disabled`: what it says of them is kept in the cache."""

    start: Callable[[Bench, crowds.Crowd], crowds.Held]
    accounts: int = 0
    # Those whose rejections are set beside that of a wrong password.
    others: tuple[str, ...] = (UNKNOWN, DISABLED)
    # Who is locked is never remembered, whatever the password was; some have no other word for the disabled.
    remembers_disabled: bool = True


BACKENDS = {
    "file": Backend(crowds.users_file),
    "slapd": Backend(crowds.openldap, remembers_disabled=False),
    "postgres": Backend(crowds.postgres),
    "active_directory": Backend(crowds.active_directory, accounts=100),
    "pam": Backend(crowds.pam, accounts=100),
    # A KDC answers of an expired password before it has seen one: more questions are asked then.
    "kerberos": Backend(crowds.kerberos, accounts=100, others=(UNKNOWN, DISABLED, EXPIRED), remembers_disabled=False),
}


@dataclasses.dataclass(frozen=True)
class Question:
    kind: str
    message: bytes

    @classmethod
    def of(cls, kind: str, user: int, guess: int) -> "Question":
        """`guess`: which of the user's wrong passwords. All questions are of the same size."""
        return cls(
            kind,
            authenticate_pb2.AuthenticateRequest(
                password=authenticate_pb2.PasswordCredential(
                    realm=workload.REALM,
                    username=workload.username(user),
                    password=workload.wrong_password(guess).encode(),
                ),
                context=authenticate_pb2.RequestContext(protocol="imap", client_address="192.0.2.17"),
            ).SerializeToString(),
        )


Times = dict[str, list[float]]  # of each kind, in microseconds


def run(bench: Bench) -> None:
    for name, backend in BACKENDS.items():
        with contextlib.ExitStack() as stack:
            folder = bench.folder / name
            folder.mkdir()
            try:
                run_one(dataclasses.replace(bench, stack=stack, folder=folder), name, backend)
            except MissingError as why:
                bench.lacks(name, str(why), *figure_names(name, backend))


def run_one(bench: Bench, name: str, backend: Backend) -> None:
    count = QUICK if bench.effort.quick else FULL
    accounts = backend.accounts or count
    crowd = crowds.Crowd(enabled=accounts, disabled=accounts, expired=accounts if EXPIRED in backend.others else 0)
    bench.say(f"{name}: making {len(crowd.numbers):,} accounts")
    held = backend.start(bench, crowd)
    server = servers.start_credcached(
        bench,
        realms=[configs.realm(held.validator)],
        throttle=configs.UNTHROTTLED,
        cache=CACHE,
        environment=held.environment,
    )
    ask = caller(bench, server.unix)
    first = {WRONG: 0, UNKNOWN: workload.FIRST_UNKNOWN_USER, DISABLED: accounts, EXPIRED: 2 * accounts}

    def questions_of(guesses: range) -> list[Question]:
        kinds = (WRONG, *backend.others)
        return [Question.of(kind, first[kind] + guess % accounts, guess) for guess in guesses for kind in kinds]

    sources = dict.fromkeys(TITLES, stubs.BACKEND)
    measure(questions_of(range(WARM_UP)), ask, sources)
    questions = questions_of(range(WARM_UP, WARM_UP + count))
    draws = random.Random(1)
    for state in ("cold", "cached"):
        bench.say(f"{name}, {state}: {count:,} of each kind")
        draws.shuffle(questions)
        bench.add(*figures(f"{name}_{state}", measure(questions, ask, sources), draws))
        sources = dict.fromkeys(TITLES, stubs.CACHE)
        if not backend.remembers_disabled:
            sources[DISABLED] = stubs.BACKEND


def figure_names(name: str, backend: Backend) -> list[str]:
    return [f"equal_times.{name}_{state}_{kind}" for state in ("cold", "cached") for kind in backend.others]


def caller(bench: Bench, endpoint: Endpoint) -> Callable[[bytes], bytes]:
    """Messages as bytes: what gRPC takes besides is the same for all."""
    channel = grpc.insecure_channel(endpoint.address)
    bench.stack.callback(channel.close)
    return functools.partial(channel.unary_unary(METHOD), timeout=10, wait_for_ready=True)


def measure(questions: Sequence[Question], ask: Callable[[bytes], bytes], sources: Mapping[str, int]) -> Times:
    """Asks them in this order; any answer but a rejection from where its kind comes from does not count."""
    times: Times = {question.kind: [] for question in questions}
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
    for kind in (kind for kind in times if kind != WRONG):
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
