"""The values of an event, one by one: in normal form, redacted and capped, and remembered, since a log repeats itself."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from parsers.address import client_address, networks
from parsers.contract import Reason
from parsers.memory import CHARS, remember
from parsers.records import RejectedError, identifier_text, text_or_none
from parsers.redaction.identifiers import Identifiers
from parsers.redaction.redact import Counts, redact_scopes, redact_text
from parsers.text import normal_field, normal_tag

_DETAIL_CHARS: Final = 1024
"""What providers say of errors is long, and is often the same."""


class Values:
    """Reads values. What nothing is counted of may be looked up in its memories first, by the text as it was written."""

    def __init__(
        self, trusted_proxies: Iterable[str], public_identifiers: Iterable[str], names: Mapping[str, str]
    ) -> None:
        """Raise ValueError for a bad option; see ``parsers.builder.EventBuilder``."""
        self.counts: dict[str, int] = {}
        """Of this object's life: ``addresses_invalid`` (written, but none) and ``redacted_<kind>``."""
        self._trusted = networks(trusted_proxies)
        self._identifiers = Identifiers(public_identifiers)
        self._names = names
        self.users: dict[str | None, str | None] = {None: None}
        self.addresses: dict[str | None, str | None] = {None: None}
        self.agents: dict[str | None, str | None] = {None: None}
        self.details: dict[str | None, str | None] = {None: None}
        self.scopes_of: dict[str | tuple[str, ...] | None, str | None] = {None: None}

    def read_user(self, user_id: str | int | None) -> str | None:
        """Return the field ``user_id``."""
        return self._field(None if user_id is None else str(user_id), self.users, self._identifiers.read, user_id)

    def read_event_id(self, event_id: str | None) -> str | None:
        """Return the field ``event_id``."""
        return self._field(event_id, None, self._identifiers.redact)

    def read_agent(self, text: str | None) -> str | None:
        """Return the field ``user_agent``."""
        return self._field(text, self.agents, redact_text)

    def read_detail(self, text: str | None) -> str | None:
        """Return the field ``error_detail``: what the provider says of an error beside a word of ``ERRORS``."""
        return self._field(text, self.details, redact_text)

    def read_address(self, text: str | None) -> str | None:
        """Return the field ``ip``; what is no address is absent, and counted."""
        if text in self.addresses:
            ip = self.addresses[text]
        else:
            ip = client_address(text, self._trusted) if text else None
            remember(self.addresses, text, ip)
        if text and ip is None:
            self.count_invalid_address()
        return ip

    def count_invalid_address(self) -> None:
        """Count what was written as an address and is none."""
        self.counts["addresses_invalid"] = self.counts.get("addresses_invalid", 0) + 1

    def read_scopes(self, scopes: Any) -> str | None:
        """Return the field ``scopes``. Raises RejectedError for what is neither a list of strings nor a string."""
        if scopes is None or isinstance(scopes, str):
            key: Any = scopes
        elif isinstance(scopes, list | tuple) and all(isinstance(scope, str) for scope in scopes):
            key = tuple(scopes)
            if key in self.scopes_of:
                return self.scopes_of[key]
            scopes = " ".join(scopes)
        else:
            raise RejectedError(Reason.WRONG_TYPE, f"{self._name('scopes')}: neither a list of strings nor a string")
        return self._field(scopes and " ".join(filter(None, scopes.split(" "))), self.scopes_of, redact_scopes, key)

    def _name(self, argument: str) -> str:
        return self._names.get(argument, argument)

    def _text(self, argument: str, value: object) -> str | None:
        return value if value is None or isinstance(value, str) else text_or_none(value, self._name(argument))

    def _identifier(self, argument: str, value: object) -> str | None:
        return value if value is None or isinstance(value, str) else identifier_text(value, self._name(argument))

    def _tag(self, text: str | None) -> str:
        return normal_tag(self._identifiers.read(text, self.counts)) if text else ""

    def _field(
        self,
        text: str | None,
        memory: dict[Any, str | None] | None,
        redact: Callable[[str, Counts], str],
        key: Any = None,
    ) -> str | None:
        if text is None:
            if memory is not None:
                memory[None] = None  # it may have been emptied
            return None
        if key is None:
            key = text
        if memory is not None and key in memory:
            return memory[key]
        redacted = redact(text, self.counts)
        value = normal_field(redacted) or None
        if memory is not None and "[redacted:" not in redacted:  # what is redacted is counted every time
            remember(memory, key, value, _DETAIL_CHARS if memory is self.details else CHARS)
        return value

    def _redactions(self) -> int:
        return sum(self.counts.values())
