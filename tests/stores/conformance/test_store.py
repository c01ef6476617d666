"""What is asked of every store besides events: set-up, checks, what it says of itself, and that nobody compares its type."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from ingestor.config import store_types as store_types_module
from ingestor.config.settings import Settings, StoreSettings
from ingestor.config.store_types import store_types
from ingestor.errors import ConfigError, ExitCode
from ingestor.model.check_result import Level
from ingestor.model.questions import Filters
from ingestor.stores.contract import SINCE_EVER, Store
from ingestor.stores.delivery import Delivery
from ingestor.stores.holder import holder
from ingestor.stores.notes import STORE
from ingestor.stores.registry import store_class, store_of
from ingestor.stores.setup_step import BucketStatus
from tests.support.generated import random_samples
from tests.support.questions import ALWAYS
from tests.support.store_under_test import StoreUnderTest

ROOT = Path(__file__).parents[3]
NOW = 1_800_000_000_000_000_000


def test_set_up_makes_what_is_missing_and_can_be_repeated(
    new_store: Callable[[], StoreSettings], tmp_path: Path
) -> None:
    store = StoreUnderTest(tmp_path / "state", new_store(), set_up=False).store
    before = store.set_up(change_retention=False, dry_run=True)
    made = store.set_up(change_retention=False, dry_run=False)
    again = store.set_up(change_retention=False, dry_run=False)
    if before is None:
        assert made is again is None, "it makes itself"
        return
    assert made is not None
    assert again is not None
    assert {step.status for step in before.steps} == {BucketStatus.MISSING}, "a dry run makes nothing"
    assert {step.status for step in made.steps} == {BucketStatus.MADE}
    assert {step.status for step in again.steps} == {BucketStatus.THERE}
    assert made.heading
    assert all(isinstance(value, str) for value in made.about.values())


def test_a_store_that_is_set_up_passes_its_own_checks(subject: StoreUnderTest) -> None:
    found = list(subject.store.check())
    assert [result for result in found if result.level is Level.ERROR] == []
    subject.delivery.flush()
    with subject.answers() as answers:
        assert list(answers.events(ALWAYS, Filters())) == [], "what is written for a check is no event"


def test_what_is_complete_and_where_it_is(subject: StoreUnderTest) -> None:
    since = subject.store.complete_since(NOW)
    assert SINCE_EVER <= since < NOW
    described = subject.store.describe()
    assert described
    settings = subject.settings.store
    for file in (settings.token_file, settings.password_file):
        if file is not None:
            assert file.read_text().strip() not in described
    assert subject.store.title


def test_a_state_knows_which_store_its_events_are_in(subject: StoreUnderTest) -> None:
    subject.write(random_samples(seed=1, count=10))
    assert holder(subject.state.meta()) == subject.settings.store.type


def test_a_state_whose_events_are_in_another_store_is_refused(subject: StoreUnderTest) -> None:
    subject.write(random_samples(seed=1, count=10))
    subject.store.check_usable(subject.state)
    subject.state.connection.execute("REPLACE INTO meta VALUES (?, ?)", (STORE, "no such store"))
    with pytest.raises(ConfigError, match="The events of this state are in a store of type 'no such store'"):
        subject.store.check_usable(subject.state)
    subject.close()
    with pytest.raises(ConfigError):
        StoreUnderTest(subject.directory, subject.settings.store).delivery.flush()


def test_a_type_that_nobody_knows_names_those_that_there_are() -> None:
    with pytest.raises(ConfigError) as caught:
        store_of(Settings(store=StoreSettings(type="papyrus")))
    assert caught.value.exit_code == ExitCode.BAD_CONFIG
    assert all(name in str(caught.value) for name in store_types())


def test_the_embedded_store_is_the_first_of_those_that_there_are() -> None:
    assert next(iter(store_types())) == StoreSettings().type
    for name in store_types():
        assert store_class(name).title


def test_a_folder_is_a_type_of_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "papyrus").mkdir()
    (tmp_path / "papyrus" / "__init__.py").touch()
    monkeypatch.setattr(store_types_module, "_FOLDER", tmp_path)
    assert store_types() == {"papyrus": "papyrus"}


@pytest.mark.parametrize("protocol", [Store, Delivery])
def test_the_page_says_what_to_do_with_every_member(protocol: type) -> None:
    page = (ROOT / "docs/add-a-store.md").read_text()
    members = {name for name in (*vars(protocol), *protocol.__annotations__) if not name.startswith("_")}
    assert [name for name in sorted(members) if f"`{name}`" not in page] == []


def test_nobody_but_the_registry_looks_at_the_type_of_a_store() -> None:
    compared = re.compile(
        r"store\.type\s*(==|!=|\bin\b|\bnot in\b)|match .*store\.type|isinstance\(.*(Delivery|Store)\)"
    )
    for path in (ROOT / "ingestor").rglob("*.py"):
        lines = [line for line in path.read_text().splitlines() if compared.search(line)]
        assert lines == [], path
