"""From a type of store to the store. Nobody else compares ``store.type``: what differs is asked of the store."""

from importlib import import_module

from ingestor.config.settings import Settings
from ingestor.config.store_types import store_types
from ingestor.errors import ConfigError
from ingestor.stores.contract import Store


def store_of(settings: Settings) -> Store:
    """Return the configured store. Only its own modules are imported. Raises ConfigError for a type that nobody knows."""
    return store_class(settings.store.type)(settings)


def store_class(name: str) -> type[Store]:
    """Return the class of a type of store. Raises ConfigError for a type that nobody knows."""
    folders = store_types()
    if name not in folders:
        raise ConfigError(
            f"There is no store of type {name!r}", where="store.type", advice=f"Known types: {', '.join(folders)}."
        )
    found: type[Store] = import_module(f"ingestor.stores.{folders[name]}.store").STORE
    return found
