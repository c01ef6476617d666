"""Identifiers: one form of each, public ones as they are, and secrets in their place masked."""

import json
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers.contract import Event
from parsers.native import NativeParser
from parsers.redaction import masking
from parsers.redaction.identifiers import Identifiers, one_form
from parsers.redaction.redact import _redact, plain_identifier
from parsers.text import normal_field, normal_tag

NOW_MS = 1_793_600_000_000
GOOGLE = "407408718192-abc123def456ghi789jkl012mno345pq.apps.googleusercontent.com"
SALESFORCE = "3MVG9lKcPoNINVBIPJjdw1J9LLM82HnFVVX19KY1uA5mu0QqEWhqKpoW3svG3XHrXDiCQjK1mdgAvhCscA9GE"
PUBLIC = [
    GOOGLE,
    SALESFORCE,
    "IMB1rLcJVn6yGQhmzAMZHYlA8zLpD8vjEq0B9PjQ7Gk",  # Doorkeeper
    "dbaf9757982a9e738f05d249b7b5b4a266b3a139049317c4909f2f263572c781",
    "AItOawmwtWwcT0k51BayewNvutrJUqsvl6qs7A4",  # a pairwise subject
    "q1W2e3R4t5Y6u7I8o9P0a1S2d3F4g5H6j7K8l9Z0x1C2v3B4n5M6b7N8m9Q0w1E2",  # 64 characters
    "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e",
]
SECRETS = [
    "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg",
    "Bearer s3cr3tValue",
    "Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW",
    "ghp_s3cr3tValue0123456789abcdefghijkl",
    "xoxb-12345-s3cr3tValue",
    "sk_live_s3cr3tValue0123456789",
    "AKIAIOSFODNN7EXAMPLE",
    "glpat-s3cr3tValue0123456789",
    "client_secret=s3cr3tValue",
    "q1W2e3R4t5Y6u7I8o9P0a1S2d3F4g5H6j7K8l9Z0x1C2v3B4n5M6b7N8m9Q0w1E2r3",  # longer than any identifier
]


@pytest.mark.parametrize("name", PUBLIC)
def test_random_and_public_identifiers_stay(name: str) -> None:
    counts: dict[str, int] = {}
    assert Identifiers().read(name, counts) == name
    assert counts == {}


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_in_the_place_of_an_identifier_is_masked(secret: str) -> None:
    counts: dict[str, int] = {}
    assert "[redacted:" in Identifiers().read(secret, counts)
    assert sum(counts.values()) == 1


def test_the_configuration_knows_better() -> None:
    identifiers = Identifiers(["sk_live_s3cr3tValue0123456789", "code=*", "*-client"])
    assert identifiers.read("sk_live_s3cr3tValue0123456789") == "sk_live_s3cr3tValue0123456789"
    assert identifiers.read("code=reader") == "code=reader"
    assert identifiers.read("password=x-client") == "password=x-client"
    assert Identifiers().read("code=reader") == "code=[redacted:secret]"


@pytest.mark.parametrize("secret", SECRETS[:-2])
def test_a_pattern_lets_nothing_through_that_is_certainly_a_secret(secret: str) -> None:
    assert "[redacted:" in Identifiers(["*a*", "*A*", "*B*", "*s*"]).read(secret)
    assert Identifiers([secret]).read(secret) == secret


@pytest.mark.parametrize(
    ("written", "form"),
    [
        ("cafe\u0301", "caf\u00e9"),
        (unicodedata.normalize("NFD", "Größe-한국-ก"), "Größe-한국-ก"),
        ("web\u2800", "web"),
        ("\u2800we\u2800b", "web"),
        ("e\u2800\u0301", "\u00e9"),
        ("  web \u00a0\u3000", "web"),
        ("\u2800 web \u2800", "web"),
        (" \u2800 ", ""),
        ("two words", "two words"),
        ("web\u2028", "web\u2028"),  # to be seen, as U+FFFD
        ("\u0301" * 31 + "e\u0301", "\u0301" * 31 + "e\u0301"),  # no language's
    ],
)
def test_an_identifier_has_one_form(written: str, form: str) -> None:
    assert one_form(written) == form
    assert Identifiers().read(written) == form


@given(
    st.text(alphabet=st.characters() | st.sampled_from("e\u0301\u0323\u2800\u1100\u1161\u11a8 ab\u00a0"), max_size=12)
)
def test_the_form_of_a_form_is_itself(text: str) -> None:
    form = one_form(text)
    assert one_form(form) == form
    for normal in (normal_tag, normal_field):
        stored = normal(form)
        assert normal(one_form(stored)) == stored  # what a person copies from an answer finds it again


def test_clients_users_and_realms_have_one_form_and_public_ones_stay() -> None:
    def event(parser: NativeParser, client: str, user: str, realm: str) -> Event:
        line = {
            "created_at": "2026-11-01T09:30:00.123Z",
            "action": "token.refreshed",
            "user_id": user,
            "details": {"client_id": client, "realm": realm},
        }
        careful, outcome = parser.parse(b"\n".join([json.dumps(line).encode()] * 2), NOW_MS)  # and quick
        assert careful == outcome
        return Event(*outcome)  # type: ignore[misc]

    parser = NativeParser(public_identifiers=["acme=*"])
    one = event(parser, "Cafe\u0301 ", "bo\u0308b", "re\u0301al")
    assert (one.tags.client_id, one.user_id, one.tags.realm) == ("Café", "böb", "réal")
    other = event(parser, "\u2800Café", " böb\u2800", " réal ")
    assert (other.tags, other.user_id) == (one.tags, one.user_id)
    public = event(parser, "acme=secret=x", "acme=code=y", GOOGLE)
    assert (public.tags.client_id, public.user_id, public.tags.realm) == ("acme=secret=x", "acme=code=y", GOOGLE)
    assert parser.counts == {}
    event(NativeParser(), "acme", " \u2800", "")
    assert event(NativeParser(), "acme", " \u2800", "").user_id is None


PLAIN: re.Pattern[str] = plain_identifier.__self__  # type: ignore[attr-defined]  # a method of the expression


@given(st.from_regex(PLAIN, fullmatch=True))
def test_what_is_plain_at_first_sight_is_masked_by_no_expression(text: str) -> None:
    """The quick look lets nothing pass that the expressions would have masked in the place of an identifier."""
    assert _redact(text, None, masking.in_identifier) == text


@pytest.mark.parametrize("separator", [".", ":", "_", "~"])
def test_a_session_code_of_several_uuids_is_not_plain(separator: str) -> None:
    code = separator.join(["6e81e992-3591-4b0e-a030-69b64e544224", "a0e70fd8-d3ae-477e-af16-58dd1761bd5d"])
    assert not plain_identifier(code)
    assert not plain_identifier(f"{code}{separator}1")
