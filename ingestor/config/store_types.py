"""Which stores there are: the folders of ``ingestor/stores``. Nothing of them is imported, so this costs a look at a directory."""

import pkgutil
from pathlib import Path
from typing import Final

_FOLDER: Final = Path(__file__).parent.parent / "stores"
_NAMED_OTHERWISE: Final = {"embedded": "sqlite"}
"""Folders whose type has a name of its own. Any other store's type is the name of its folder."""


def store_types() -> dict[str, str]:
    """Return the folder of each type of store, the embedded one first."""
    folders = [module.name for module in pkgutil.iter_modules([str(_FOLDER)]) if module.ispkg]
    types = {_NAMED_OTHERWISE.get(folder, folder): folder for folder in folders}
    return dict(sorted(types.items(), key=lambda found: (found[1] != "embedded", found)))
