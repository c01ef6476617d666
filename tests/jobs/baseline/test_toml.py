"""Tables to paste: whole, quoted, and read again as they were meant."""

import tomllib

from ingestor.config.detectors import read_detectors
from ingestor.detectors.secret_guessing import SecretGuessingOptions
from ingestor.jobs.baseline.meter import Client
from ingestor.jobs.baseline.proposal import Proposal, Verdict
from ingestor.jobs.baseline.toml import toml_of

HOSTILE = ("re/alm%", 'a"b]\\ = \u202e\x7f\n[x]')


def change(value: int, client: Client | None = None) -> Proposal:
    return Proposal("many_failures", client, 30, 0, Verdict.CHANGE, value)


def read_again(text: str) -> SecretGuessingOptions:
    wrong: list[str] = []
    options = read_detectors(tomllib.loads(text)["detectors"], lambda *what: wrong.append(str(what)))["secret_guessing"]
    assert not wrong
    assert isinstance(options, SecretGuessingOptions)
    return options


def test_what_is_set_today_stays() -> None:
    today = SecretGuessingOptions(
        networks=("10.0.0.0/8",),
        many_failures=30,
        clients={
            ("", "app"): SecretGuessingOptions(networks=("10.0.0.0/8",), enabled=False),
            ("r", "own"): SecretGuessingOptions(networks=("10.0.0.0/8",), many_failures=7),
        },
    )
    text = toml_of({"secret_guessing": (today, SecretGuessingOptions(), [change(60), change(90, ("r", "busy"))])})
    read = read_again(text)
    assert (read.networks, read.many_failures) == (("10.0.0.0/8",), 60)
    assert {client: (of_it.enabled, of_it.many_failures) for client, of_it in read.clients.items()} == {
        ("", "app"): (False, 60),
        ("r", "own"): (True, 7),
        ("r", "busy"): (True, 90),
    }


def test_a_hostile_client_is_quoted() -> None:
    text = toml_of({"secret_guessing": (SecretGuessingOptions(), SecretGuessingOptions(), [change(60, HOSTILE)])})
    (table,) = tomllib.loads(text)["detectors"]["secret_guessing"]["clients"].values()
    assert table == {"many_failures": 60}
    assert len(text.splitlines()) == 2
