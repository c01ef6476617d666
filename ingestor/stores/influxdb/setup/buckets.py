"""Buckets of InfluxDB 2.x, through InfluxData's own library. Importing it takes half a second: only who needs it does."""

from collections.abc import Callable
from typing import Any, Final

from influxdb_client import BucketRetentionRules, InfluxDBClient, PostBucketRequest
from influxdb_client.rest import ApiException
from urllib3 import exceptions

from ingestor.config.credentials import token_of
from ingestor.config.settings import RetentionSettings, StoreSettings
from ingestor.errors import ConfigError, PermissionDeniedError, TokentailError
from ingestor.stores.influxdb.client.error_body import own_words
from ingestor.stores.influxdb.client.http import reason, tls_context
from ingestor.stores.influxdb.client.refusals import no_token, refusal
from ingestor.stores.influxdb.client.server import Server, unreachable
from ingestor.stores.influxdb.setup.plan import places, shard_seconds
from ingestor.stores.setup_step import FOR_EVER, Bucket
from parsers.text import clean

_MOST: Final = 100
"""Organizations or buckets a request: the server's own bound."""


class Buckets:
    """The buckets of one organization."""

    def __init__(self, store: StoreSettings, server: Server) -> None:
        """Open nothing yet. Raises PermissionDeniedError when there is no token."""
        token = token_of(store).read()
        if not token:
            raise no_token(store)
        self.server = server
        self._store = store
        self._client = InfluxDBClient(
            url=store.url,
            token=token,
            timeout=int(store.timeout_seconds * 1000),
            retries=False,
            ssl_context=tls_context(store),
        )
        self._buckets = self._client.buckets_api()
        self._found: dict[str, Any] = {}
        self._organization: tuple[str, str] | None = None

    @property
    def organization(self) -> str:
        """The name of the organization; its id when the token may not see the name. Raises TokentailError."""
        return self._resolve()[1]

    def desired(self, retention: RetentionSettings) -> tuple[Bucket, ...]:
        """Return what should be there."""
        return places("bucket", self._store.database, retention)

    def actual(self) -> dict[str, int]:
        """Return what is there, of the buckets that we want: names and retentions. Raises TokentailError."""
        organization, _ = self._resolve()
        self._found = {}
        for place in self.desired(RetentionSettings()):
            for bucket in self._list(f"look for the bucket {place.name}", name=place.name, org_id=organization):
                self._found[place.name] = bucket
        return {name: _seconds(bucket) for name, bucket in self._found.items()}

    def make(self, place: Bucket) -> None:
        """Make a bucket that is missing. Raises TokentailError."""
        organization, _ = self._resolve()
        request = PostBucketRequest(org_id=organization, name=place.name, retention_rules=_rules(place))
        self._do(f"make the bucket {place.name}", lambda: self._buckets.create_bucket(request), administrator=True)

    def change(self, place: Bucket) -> None:
        """Give a bucket the retention that it should have. Raises TokentailError."""
        bucket = self._found[place.name]
        bucket.retention_rules = _rules(place)
        self._do(f"change the bucket {place.name}", lambda: self._buckets.update_bucket(bucket), administrator=True)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _resolve(self) -> tuple[str, str]:
        """Return id and name of the organization: the configured one, else the only one that the token sees."""
        if self._organization is None:
            self._organization = self._only(self._organizations())
        return self._organization

    def _organizations(self) -> dict[str, str]:
        """Return the organizations that come into question: ids and names.

        A token for buckets alone may not list organizations, but each of its buckets tells whose it is.
        """
        wanted = {"org": self._store.organization} if self._store.organization else {}
        listing = self._client.organizations_api().find_organizations
        if found := self._listed("list the organizations", lambda: listing(limit=_MOST, **wanted)):
            return {organization.id: organization.name for organization in found}
        # By name first: of a listing the server cuts off the rest before it takes out what the token may not see.
        names = [place.name for place in self.desired(RetentionSettings())]
        buckets = [
            bucket for name in names for bucket in self._list(f"look for the bucket {name}", name=name, **wanted)
        ]
        buckets = buckets or self._list("list the buckets", limit=_MOST, **wanted)
        return {bucket.org_id: self._store.organization or bucket.org_id for bucket in buckets}

    def _only(self, found: dict[str, str]) -> tuple[str, str]:
        if len(found) == 1:
            return next(iter(found.items()))
        if found:
            raise ConfigError(
                f"The token sees several organizations: {', '.join(sorted(map(clean, found.values())))}",
                where=self._store.url,
                advice="Name one of them in store.organization.",
            )
        if self._store.organization:
            raise ConfigError(
                f"The token sees no organization named {self._store.organization!r}",
                where=self._store.url,
                advice="Check store.organization: names are case-sensitive. Is the token of that organization?",
            )
        raise PermissionDeniedError(
            "The token sees no organization, and no bucket that would tell which",
            where=self._store.url,
            advice="It takes a token that may read buckets; `store init` one that may write all of them.",
        )

    def _list(self, doing: str, **query: Any) -> list[Any]:
        return self._listed(doing, lambda: self._buckets.find_buckets(**query).buckets)

    def _listed(self, doing: str, call: Callable[[], Any]) -> list[Any]:
        found = self._do(doing, call, nothing=[])
        if not isinstance(found, list):  # the library makes an object without content of whatever came
            raise TokentailError(f"InfluxDB did not {doing}: its answer makes no sense", where=self._store.url)
        return found

    def _do(self, doing: str, call: Callable[[], Any], *, administrator: bool = False, nothing: Any = None) -> Any:
        """Call the library, and turn its exceptions into ours. ``nothing``: what a list is when the answer is 404."""
        try:
            return call()
        except ApiException as error:
            words = own_words(error.body or b"")
            if error.status == 404 and words and nothing is not None:
                return nothing
            raise refusal(2, error.status or 0, words, self._store, doing=doing, administrator=administrator) from error
        except exceptions.HTTPError as error:
            raise unreachable(self._store.url, reason(error)) from error
        except (ValueError, TypeError, AttributeError, LookupError):  # what it says of an answer that it cannot read
            return None


def _rules(place: Bucket) -> list[BucketRetentionRules]:
    return [
        BucketRetentionRules(
            type="expire", every_seconds=place.seconds, shard_group_duration_seconds=shard_seconds(place.seconds)
        )
    ]


def _seconds(bucket: Any) -> int:
    return next((int(rule.every_seconds) for rule in bucket.retention_rules), FOR_EVER)
