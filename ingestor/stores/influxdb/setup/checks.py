"""Whether an InfluxDB is there, is one that we know, lets us in, keeps what it should, and has the right time.

Each layer is looked at as far as it can be: a retention that differs does not hide a token that may not write. But what
follows from one fault is not told as ten.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from ingestor.config.credentials import password_of, token_of
from ingestor.config.settings import RetentionSettings, StoreSettings
from ingestor.errors import ExitCode, PermissionDeniedError, TokentailError
from ingestor.model.check_result import CheckResult, Level, failed, wrong
from ingestor.model.transport import is_unencrypted
from ingestor.stores.influxdb.client.http import InfluxHttp
from ingestor.stores.influxdb.client.refusals import USER_ADVICE
from ingestor.stores.influxdb.client.server import Server, identify
from ingestor.stores.influxdb.setup.plan import OWN, POLICIES, plan
from ingestor.stores.influxdb.setup.probe import prove_reading, prove_writing, write_point
from ingestor.stores.influxdb.setup.setup import admin_of
from ingestor.stores.setup_step import BucketStatus, SetupStep, written

CLOCK_WARNING_SECONDS: Final = 5.0
CLOCK_ERROR_SECONDS: Final = 86_400.0


def check_influxdb(store: StoreSettings, retention: RetentionSettings) -> Iterator[CheckResult]:
    """Yield what is found of the server and of what it takes to use it."""
    secrets = list(_secrets(store))
    yield from secrets
    yield from _transport(store)
    try:
        http = InfluxHttp(store, connections=1)
    except TokentailError as error:
        yield failed(error)
        return
    with contextlib.closing(http):
        try:
            server = identify(http)
        except TokentailError as error:
            yield failed(error)
            return
        yield CheckResult(Level.OK, f"InfluxDB {server.version} answers", store.url)
        yield from clock(server.ahead, store.url)
        if all(finding.level is not Level.ERROR for finding in secrets):  # else every request would tell the same again
            yield from _inside(store, retention, server, http)


def _secrets(store: StoreSettings) -> Iterator[CheckResult]:
    token, password = token_of(store), password_of(store)
    if place := token.place():
        yield _secret("API token", token.read, str(place))
    if store.username and place:
        yield CheckResult(
            Level.WARNING,
            "A token and a user are configured: the token is used",
            store.url,
            "Take away store.username, or the token if this is InfluxDB 1.x.",
        )
    elif store.username:
        if place := password.place():
            yield _secret("Password", password.read, str(place))
        else:
            what = f"The user {store.username!r} has no password"
            yield wrong(what, store.url, USER_ADVICE, ExitCode.BAD_CONFIG)


def _secret(name: str, read: Callable[[], str], where: str) -> CheckResult:
    try:
        read()
    except TokentailError as error:
        return failed(error)
    return CheckResult(Level.OK, f"{name} can be read", where)


def _transport(store: StoreSettings) -> Iterator[CheckResult]:
    secret = bool(token_of(store).place() or store.username)
    if secret and is_unencrypted(store.url):
        yield CheckResult(
            Level.WARNING,
            "The secret and all events go through the network unencrypted",
            store.url,
            "Switch TLS on at the server, and write https:// in store.url; store.ca_file names a certificate of your own.",
        )


def clock(ahead: float | None, where: str) -> Iterator[CheckResult]:
    """Yield what the server's clock is like."""
    if ahead is None:
        yield CheckResult(
            Level.WARNING, "InfluxDB does not tell what time it is", where, "Is there a proxy in between?"
        )
        return
    if abs(ahead) <= CLOCK_WARNING_SECONDS:
        yield CheckResult(Level.OK, "Its clock agrees with this machine's", where)
        return
    what = f"Its clock is {abs(ahead):,.0f} s {'ahead of' if ahead > 0 else 'behind'} this machine's"
    advice = "Set both by a time server: alerts look at the last minutes, and retention ends, by the clock of InfluxDB."
    bad = abs(ahead) > CLOCK_ERROR_SECONDS
    yield wrong(what, where, advice) if bad else CheckResult(Level.WARNING, what, where, advice)


def _inside(
    store: StoreSettings, retention: RetentionSettings, server: Server, http: InfluxHttp
) -> Iterator[CheckResult]:
    """Yield what is found by asking as the daemon will: places, rights to write and to read."""
    usable = list(POLICIES)
    told: set[str] = set()
    try:
        with contextlib.closing(admin_of(store, server, http)) as admin:
            steps = plan(admin.desired(retention), admin.actual())
    except TokentailError as error:
        told.add(error.what)
        yield failed(error)
    else:
        unseen = [step.place for step in steps if step.status is BucketStatus.MISSING]
        absent = [place.policy for place in unseen if place.policy and _is_absent(http, store, server, place.policy)]
        usable = [policy for policy in POLICIES if policy not in absent]
        yield from _places(steps, [place.name for place in unseen if place.policy in absent or not usable], store)
    written_at: list[int] = []

    def write(policy: str) -> None:
        if policy == OWN:
            written_at.append(write_point(http, store, server))
        else:
            prove_writing(http, store, server, policy)

    def read(policy: str) -> None:
        prove_reading(http, store, server, policy, written_at[0] if policy == OWN and written_at else None)

    yield from _tried("Points can be written", write, usable, store, told)
    yield from _tried("Points can be read", read, usable, store, told)


def _is_absent(http: InfluxHttp, store: StoreSettings, server: Server, policy: str) -> bool:
    """Whether what is not listed is not there, either: a list leaves out what one may not read."""
    try:
        prove_writing(http, store, server, policy)
    except PermissionDeniedError:
        return False
    except TokentailError:
        return True
    return False


def _places(steps: Iterable[SetupStep], absent: list[str], store: StoreSettings) -> Iterator[CheckResult]:
    if absent:
        yield wrong(
            f"Missing, or not to be seen with these rights: {', '.join(absent)}",
            store.url,
            "`tokentail store init` makes what is missing.",
        )
    for step in steps:
        if step.status is BucketStatus.DIFFERS:
            yield CheckResult(
                Level.WARNING,
                f"{step.place.name} keeps points for another time ({written(step.found or 0)}) than configured "
                f"({written(step.place.seconds)})",
                store.url,
                "Change [retention], or `tokentail store init --change-retention`"
                + (", which deletes the points that are older." if step.shortens else "."),
            )
    if all(step.good for step in steps):
        yield CheckResult(Level.OK, f"{store.database} has all it needs, with the configured retention", store.url)


def _tried(
    good: str, attempt: Callable[[str], None], policies: list[str], store: StoreSettings, told: set[str]
) -> Iterator[CheckResult]:
    """Try each policy, and yield one finding for all that went alike, but for errors that were ``told`` before."""
    outcomes: dict[CheckResult, list[str]] = {}
    for policy in policies:
        try:
            attempt(policy)
            finding = CheckResult(Level.OK, good, store.url)
        except TokentailError as error:
            finding = failed(error)
        outcomes.setdefault(finding, []).append(f"{store.database}/{policy}")
    for finding, names in outcomes.items():
        if finding.what not in told:
            yield finding._replace(what=f"{finding.what}: {', '.join(names)}")
    told.update(finding.what for finding in outcomes)
