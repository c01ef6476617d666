"""The options of the configuration by their names: in TOML, and in the environment. All come from the fields of ``Settings``."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any, Final

from ingestor.config import settings
from ingestor.config.settings import LogSettings, Settings
from ingestor.config.values import Option

PREFIX: Final = "TOKENTAIL_"
CONFIG_VARIABLE: Final = "TOKENTAIL_CONFIG"
DEBUG_VARIABLE: Final = "TOKENTAIL_DEBUG"


def options_of(kind: Any) -> dict[str, Option]:
    """Return the options that the fields of a table's dataclass are annotated with."""
    return {
        field.name: option
        for field in fields(kind)
        for option in getattr(field.type, "__metadata__", ())
        if isinstance(option, Option)
    }


def tables_of(kind: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the name and the dataclass of each table within another one; a name with a dot is a table within a table."""
    for field in fields(kind):
        if is_dataclass(field.type):
            yield prefix + field.name, field.type
            yield from tables_of(field.type, f"{prefix}{field.name}.")


TOP: Final = options_of(Settings)
LOG: Final = options_of(LogSettings)
SECTIONS: Final = {name: options_of(kind) for name, kind in tables_of(Settings)}
CLIENT_ALERTS: Final = {name: SECTIONS["alerts"][name] for name in settings.CLIENT_ALERTS}
"""What a table in ``[alerts.clients]`` may hold."""
CONTACT_NEEDS: Final = {"email": "addresses", "webhook": "url", "existing": "name"}
"""What a type of contact point is nothing without, secrets apart."""
VARIABLES: Final = {PREFIX + key.upper(): ("", key) for key in TOP} | {
    f"{PREFIX}{section}_{key}".upper().replace(".", "_"): (section, key)
    for section, table in SECTIONS.items()
    for key in table
}
"""Each environment variable, and the option that it sets."""
