"""Set an InfluxDB up: find out what is there, make what is missing, change what one asks to be changed."""

import contextlib
from collections.abc import Iterator
from typing import Protocol

from ingestor.config.settings import RetentionSettings, StoreSettings
from ingestor.stores.influxdb.client.http import InfluxHttp
from ingestor.stores.influxdb.client.server import Server, identify
from ingestor.stores.influxdb.setup.plan import plan
from ingestor.stores.influxdb.setup.policies import Policies
from ingestor.stores.setup_step import Bucket, BucketStatus, SetupStep


class Admin(Protocol):
    """One server's databases or buckets. Whatever asks the server raises TokentailError."""

    server: Server

    @property
    def organization(self) -> str:
        """Where the buckets are (2.x); empty on 1.x."""
        ...

    def desired(self, retention: RetentionSettings) -> tuple[Bucket, ...]:
        """Return what should be there, in the order in which it can be made."""
        ...

    def actual(self) -> dict[str, int]:
        """Return what of it is there: names, and retentions in seconds."""
        ...

    def make(self, place: Bucket) -> None:
        """Make a place that is missing."""
        ...

    def change(self, place: Bucket) -> None:
        """Give a place the retention that it should have; after ``actual``."""
        ...

    def close(self) -> None:
        """Close what was opened for it."""
        ...


@contextlib.contextmanager
def administration(store: StoreSettings) -> Iterator[Admin]:
    """Find out which server it is, and open it. Raises TokentailError."""
    with (
        contextlib.closing(InfluxHttp(store)) as http,
        contextlib.closing(admin_of(store, identify(http), http)) as admin,
    ):
        yield admin


def admin_of(store: StoreSettings, server: Server, http: InfluxHttp) -> Admin:
    """Return what a server of this version is set up with. Raises TokentailError."""
    if server.major == 1:
        return Policies(store, server, http)
    from ingestor.stores.influxdb.setup.buckets import Buckets  # noqa: PLC0415 - half a second that 1.x need not wait for

    return Buckets(store, server)


def init(
    admin: Admin, retention: RetentionSettings, *, change_retention: bool = False, dry_run: bool = False
) -> tuple[SetupStep, ...]:
    """Make what is missing, and with ``change_retention`` alter what keeps points for another time; return what was done.

    What is there is never changed otherwise, and nothing is dropped. ``dry_run``: only look. Raises TokentailError.
    """
    desired = admin.desired(retention)
    steps = plan(desired, admin.actual())
    if dry_run:
        return steps
    done = tuple(_done(admin, step, change_retention=change_retention) for step in steps)
    if done == steps:
        return steps
    # An answer that sounds good proves little: what counts is what is there afterwards.
    afterwards = plan(desired, admin.actual())
    return tuple(step if after.good else after for step, after in zip(done, afterwards, strict=True))


def _done(admin: Admin, step: SetupStep, *, change_retention: bool) -> SetupStep:
    if step.status is BucketStatus.MISSING:
        admin.make(step.place)
        return step._replace(status=BucketStatus.MADE)
    if step.status is BucketStatus.DIFFERS and change_retention:
        admin.change(step.place)
        return step._replace(status=BucketStatus.CHANGED)
    return step
