import click
import pytest

from ingestor.cli.support.options import ACTION, Address, Moment, Zone


@pytest.mark.parametrize("text", ["2026-11-29", "2026-11-29T00:00", "yesterday", "1w", "1h30m", "all", "now"])
def test_a_time_is_taken_as_it_is_written(text: str) -> None:
    assert Moment().convert(text, None, None) == text


def test_what_is_no_time_is_refused_with_how_times_are_written() -> None:
    with pytest.raises(click.BadParameter, match=r"'7 d' is no time; it is written 2026-11-29, .*1h30m"):
        Moment().convert("7 d", None, None)


def test_a_time_zone_is_one_of_the_database() -> None:
    assert Zone().convert("Europe/Berlin", None, None) == "Europe/Berlin"
    with pytest.raises(click.BadParameter, match="'Berlin' must be a time zone"):
        Zone().convert("Berlin", None, None)


def test_an_address_is_canonical() -> None:
    assert Address().convert("2001:DB8:0:0::1", None, None) == "2001:db8::1"


def test_an_action_may_be_short() -> None:
    assert ACTION.convert("refreshed", None, None) == ACTION.convert("token.refreshed", None, None) == "token.refreshed"
