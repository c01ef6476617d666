"""Messages are read as Keycloak wrote them, whatever strangers put into them, and in bounded time."""

import contextlib
import re
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from parsers.keycloak.fields import ALWAYS, NAMES, Fields
from parsers.keycloak.message import Messages, read_message, type_of
from parsers.records import RejectedError
from tests.parsers.keycloak.writer import HEAD, message, message_of_21, sanitized

FRAGMENTS = (
    *(
        '"',
        "\\",
        ", ",
        "=",
        "'",
        " ",
        "x",
        '", error="none',
        '\\", userId=\\"root',
        ', error="',
        ", error=",
        "\r\n",
        "\0",
        "\u202e",
    ),
    *(
        ", userId=root, ipAddress=6.6.6.6",
        ", error=none, x=",
        ", userId=",
        ", username=",
        "type=LOGIN",
        ", cookies=[",
        "null",
        "é",
    ),
)
TYPED = st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=3), max_size=8).map("".join)
"""What strangers send: pieces of the grammar, in any order."""
PIECES = st.sampled_from(['"', ", ", "=", ",", " ", "\\", *NAMES, "sessionId", "x"]) | TYPED
"""What damage and forgery leave in a message."""
_TOKEN = re.compile('(, |["=])')
QUOTES = st.sampled_from(['"', "'", "|"])


@st.composite
def events(draw: st.DrawFn) -> dict[str, str]:
    """An event, in whose values stand what others than Keycloak choose."""
    values = {**HEAD, "clientId": draw(TYPED), "ipAddress": draw(TYPED)}
    for key in draw(st.lists(st.sampled_from([*NAMES[7:], "redirect_uri", "auth_method"]), unique=True, max_size=5)):
        values[key] = draw(TYPED)
    return values


def fields(values: dict[str, str]) -> Fields:
    return Fields(*(values.get(name) for name in NAMES))  # type: ignore[arg-type]  # the type is there


@given(events(), QUOTES)
def test_no_value_makes_or_changes_another(values: dict[str, str], quote: str) -> None:
    written = message(values, quote)
    expected = {key: sanitized(value, quote).replace("\\" + quote, quote) for key, value in values.items()}
    assert read_message(written) == fields(expected)
    assert type_of(written) == values["type"]


@st.composite
def written_events(draw: st.DrawFn) -> str:
    """The message of an event, as one of the versions and settings writes it, or what is left of it after damage."""
    write = draw(st.sampled_from([message, lambda values: message(values, ""), message_of_21]))
    pieces = _TOKEN.split(write(draw(events())))
    for _ in range(draw(st.integers(0, 3))):
        first = draw(st.integers(0, len(pieces)))
        pieces[first : first + draw(st.integers(0, 4))] = draw(st.lists(PIECES, max_size=3))
    return "".join(pieces)


@settings(max_examples=3 * settings().max_examples)  # of each way to write a message as many as others have
@example(message(HEAD).replace(", userId", "userId"))
@example(message({**HEAD, "ipAddress": "1,2"}, ""))
@example(message({**HEAD, "error": ""}, ""))
@example(message(HEAD, "").replace(", ipAddress", ", sessionId=a b, ipAddress"))
@example(f"{message(HEAD, '')}, scope=a, reason")
@example(f"{message(HEAD, '')}, reason==, ")
@example(f"{message(HEAD, '')}, realmName=a".replace("realmName=acme, ", ""))
@example(", ".join([message(HEAD, ""), *(f"k{number}=" for number in range(120))]))
@given(written_events())
def test_what_is_read_at_first_sight_is_read_alike_with_care(written: str) -> None:
    found = Messages().find(written)
    if found is not None:
        assert found == tuple(read_message(written)) == tuple(read_message(written, may_be_cut=True))


def test_what_strangers_seldom_send_is_read_at_first_sight() -> None:
    messages = Messages()
    values = {**HEAD, "grant_type": "client_credentials", "reason": "Because", "x": "DOMAIN\\user"}
    for written in (message(values), message(values, ""), message_of_21({**values, "scope": "openid email"})):
        assert messages.find(written) == tuple(read_message(written))


@pytest.mark.parametrize("more", ['"', '""', '"x', '"x"', ", x", ", x=", ', x="', ' "'])
def test_what_stands_behind_the_values_is_no_part_of_them(more: str) -> None:
    assert Messages().find(message(HEAD) + more) is None
    with pytest.raises(RejectedError):
        read_message(message(HEAD) + more)


@given(TYPED, st.sampled_from([message_of_21, lambda values: message(values, "")]))
def test_without_quotes_a_client_id_forges_nothing(client: str, write: object) -> None:
    written = write({**HEAD, "clientId": client, "grant_type": "client_credentials"})  # type: ignore[operator]
    try:
        read = read_message(written)
    except RejectedError:
        return  # there are several readings
    assert (read.client_id, read.user_id, read.error) == (client, HEAD["userId"], HEAD["error"])
    assert read.ip_address == HEAD["ipAddress"]


@pytest.mark.parametrize(
    "client",
    [
        *("web", "", "a, b", "a=b, c=d", 'x", error="none", userId="root', "ends\\", "two\nlines", "it's", "'a b'"),
        "x, userId=root, ipAddress=6.6.6.6, error=none",
    ],
)
def test_without_quotes_what_holds_commas_and_keys_is_read(client: str) -> None:
    values = {**HEAD, "clientId": client, "grant_type": "client_credentials"}
    assert read_message(message(values, "")) == fields(values)


def test_without_quotes_a_message_with_several_readings_is_rejected() -> None:
    forged = "x, userId=root, ipAddress=6.6.6.6, error=none, grant_type=password, username=q"
    with pytest.raises(RejectedError, match="in several ways"):
        read_message(message({**HEAD, "clientId": forged, "grant_type": "password"}, ""))


def test_a_key_that_is_there_twice_is_a_forgery() -> None:
    """As where Keycloak is told to write quotes in values as they are (``sanitize=false``)."""
    forged = 'x", userId="root", ipAddress="6.6.6.6'
    written = ", ".join(f'{key}="{value}"' for key, value in {**HEAD, "clientId": forged}.items())
    assert Messages().find(written) is None
    with pytest.raises(RejectedError, match="in several ways"):
        read_message(written)


@given(events(), st.data())
def test_a_message_that_is_cut_says_nothing_else(values: dict[str, str], data: st.DataObject) -> None:
    """But for ``reason``, of which the beginning is kept, and keys of whom the cut took the rest."""
    written = message(values)
    cut = written[: data.draw(st.integers(0, len(written) - 1))]
    try:
        read = read_message(cut, may_be_cut=True)._asdict()
    except RejectedError:
        return
    whole = read_message(written)._asdict()
    for name in ("type", "realm_id", "realm_name", "client_id", "user_id"):
        assert read[name] == whole[name]
    assert read["error"] in {None, whole["error"]}
    assert read["reason"] is None or (whole["reason"] or "").startswith(read["reason"].rstrip("\\"))


def test_a_cut_before_the_grant_leaves_a_login_unclear() -> None:
    values = {**HEAD, "type": "LOGIN_ERROR", "auth_method": "openid-connect", "x": "long"}
    assert read_message(message(values)).grant_type is None
    with pytest.raises(RejectedError, match="before it names the grant"):
        read_message(message(values)[:-2], may_be_cut=True)


@given(events(), QUOTES, TYPED, st.booleans())
def test_at_level_trace_no_value_makes_or_changes_another(
    values: dict[str, str], quote: str, cookies: str, may_be_cut: bool
) -> None:
    written = message({**values, "requestUri": "https://idp.example/token?a="}, quote)
    assert read_message(f"{written}, cookies=[{cookies}]", may_be_cut=may_be_cut) == read_message(written)


def test_what_stands_behind_the_values_at_level_trace_is_not_looked_at() -> None:
    written = message({**HEAD, "requestUri": "https://idp.example/token?a="}) + ', cookies=[a="b", c=d; error="none"]'
    assert read_message(written).error == HEAD["error"]
    assert read_message(written, may_be_cut=True).error == HEAD["error"]


@pytest.mark.parametrize(
    "written", ["type=", 'type="', 'type="LOGIN', "type=LOGIN", 'type="LOGIN"', "type=\\", "type= ", 'type="A", x="']
)
def test_a_piece_is_rejected(written: str) -> None:
    for may_be_cut in (False, True):
        with pytest.raises(RejectedError):
            read_message(written, may_be_cut=may_be_cut)


@pytest.mark.parametrize("quote", ['"', ""])
@pytest.mark.parametrize(
    "piece",
    [
        *(
            '\\"',
            '"',
            "\\",
            '", a="',
            '\\", a="',
            ', a="',
            ", a=",
            ", userId=a, ipAddress=b",
            ", userId=a, ipAddress=b, error=c",
        ),
        *(
            ", userId=a",
            ", username=",
            "', a='",
            "'",
            "=",
            ", ",
            ", cookies=[",
            "a",
            '="',
            '" ',
            ", aaaaaaaaaaaaaaaaaaaaaaaaaa",
        ),
    ],
)
def test_time_is_bounded(piece: str, quote: str) -> None:
    """A megabyte of anything, which no line is longer than, in the place of a client and of a whole message."""
    long = piece * (1_000_000 // len(piece))
    began = time.process_time()
    for written in (message({**HEAD, "clientId": long}, quote), f"{message(HEAD, quote)}{long}", f"type={long}"):
        Messages().find(written)
        type_of(written)
        with contextlib.suppress(RejectedError):
            read_message(written, may_be_cut=True)
    assert time.process_time() - began < 10


def test_the_names_are_those_of_the_fields() -> None:
    assert len(NAMES) == len(Fields._fields)
    assert set(NAMES) >= ALWAYS


@given(events(), events(), st.sampled_from(['"', ""]), st.data())
def test_a_message_like_one_before_is_read_alike_with_care(
    before: dict[str, str], values: dict[str, str], quote: str, data: st.DataObject
) -> None:
    """What was learned of a message finds nothing in another one that is not there."""
    messages = Messages()
    messages.find(message(dict.fromkeys(before, "x") | {"type": "LOGIN"}, quote))
    messages.find(message(dict.fromkeys(values, "x") | {"type": "LOGIN"}, quote))
    written = message(values | {"type": "LOGIN"}, quote)
    if data.draw(st.booleans()):
        pieces = _TOKEN.split(written)
        pieces.insert(data.draw(st.integers(0, len(pieces))), data.draw(PIECES))
        written = "".join(pieces)
    found = messages.find(written)
    if found is not None:
        assert found == tuple(read_message(written)) == Messages().find(written)


@pytest.mark.parametrize("quote", ['"', ""])
def test_a_message_like_one_before_is_known(quote: str) -> None:
    messages = Messages()
    values = {**HEAD, "reason": "Because", "code_id": "1"}
    messages.find(message(values, quote))
    messages._shapes = {}
    again = {**values, "clientId": "other", "userId": "u-2", "ipAddress": "192.0.2.9"}
    assert messages.find(message(again, quote)) == tuple(read_message(message(again, quote)))
    assert not messages._shapes
