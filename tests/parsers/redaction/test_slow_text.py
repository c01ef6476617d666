"""Hostile text costs at most ten times what an ordinary value of its length does.

A user agent is free to whoever sends a request; text that is slow to look at would stall the daemon, and so the alerts. The
search is what would find such text: pieces that the expressions look for, alone and behind a head, over and over; then
mixtures of them, of which the slowest are changed further. Costs are ratios of the processor's time to that of an ordinary
value measured beside it, the least of several rounds, so that other work on the machine moves no verdict.
"""

import random
import time
from collections.abc import Callable
from typing import TypeAlias

import pytest

from parsers.redaction.identifiers import Identifiers
from parsers.redaction.masking import MOST_NAMES
from parsers.redaction.redact import LOOK_CHARS, redact_scopes, redact_text
from parsers.text import normal_field, normal_tag

Text: TypeAlias = tuple[str, tuple[str, ...]]
"""A head, and the pieces that are repeated behind it."""
READ = Identifiers(["acme-*", "*-live"]).read
WAYS: dict[str, Callable[[str], str]] = {
    "text": lambda text: normal_field(redact_text(text)),
    "scopes": lambda text: normal_field(redact_scopes(text)),
    "identifier": lambda text: normal_tag(READ(text)),
}
SENT_CHARS = 8192
"""What web servers let a header have."""
ORDINARY = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36 " * 100
)[:SENT_CHARS]
LIMIT = 10
PIECES = (
    *("%3c", "secret", '-"code":', "a", "A", "9", "-", "=", ".", "_", "token", "://", "://a:", "://a:b@", 'code="', "\\", "code\\"),
    *("eyJ", "eyJa.", "a1B2-", "Bearer ", "basic ", "authorization ", "authorization:", "cookie: ", "-----BEGIN PRIVATE KEY-----"),
    *("code = ", "%25", "code%", "session_", "9f1c7d2e-1111-4222-8333-444455556666.", "token =", "<code>", "<code ", "&lt;a.", "&amp;"),
    *("code]", 'code\\"value', "%3a%2f%2f:", "password", "code    ", "code \u200b", "/token/code/", "password was not found ", "<a"),
    *("user code AB-", "code 'a", "code, a ", "%E2%80", "\\u200b", "\\u0041 ", "\\x41", "\\ud83d ", "a\u0301\u0323", "\u0301", "\u2800"),
    *("values(", 'value="', "curl -u a:", "mysql ", "mysql -p", "/magic/", "reset/", "'aaaa' is ", "parameters: $1", "?state=", "%"),
    *("пароль ", "密码", "c\u043ede", "ghp_", "AKIA", "3MVG9", "client_id=", "trace id ", "--password ", "identified by ", "\ufb03"),
    *("password for a: ", "code in the request ", "secret for a client is ", " is not found ", ": ", " ", "\n", '"', "'", "(", "["),
    *("5f7c8ec7c33c", "hunter2", "[redacted:secret]", "[redacted:", "İ", "user[", "tokens: [", "&quot;", "x@", "1.", ", "),
    *("val=''id='aaaaaaaaaaaaaaaaaaaaaaaa", 'value="a"name="', "val=&quot;", "val=%22", "val=%22a%22 key=%22", "ldap", "ldapAKIAAAAA", "ssssssss"),
    *("https://", "auth=", "auth:", "jdbc:oracle:a:", "jdbc:oracle:a:a/", "htpasswd -b ", "-U a%", "snmpwalk ", "net use ", "&#97;"),
    *("a1B2 as password ", "a1B2 is a ", "token á ", "код é: ", "password('a',", "password (plain) ", "[password] ", "/unlock?k=", "verify-"),
    *("code: a_", "code:'Aa", 'token: "is ', "tokens: [", "code -> ", "-accept", "email-", "auth/callback/", "code\\n", "密码a1B2", "токен для a"),
)  # fmt: skip
MIXTURES = 150


def repeated(text: Text) -> str:
    head, pieces = text
    return (head + "".join(pieces) * SENT_CHARS)[:SENT_CHARS]


def ratio(way: Callable[[str], str], text: str, rounds: int) -> float:
    """Return what the text costs, in ordinary values."""
    least = [float("inf"), float("inf")]
    for _ in range(rounds):
        for index, each in enumerate((ORDINARY, text)):
            start = time.thread_time()
            way(each)
            least[index] = min(least[index], time.thread_time() - start)
    return least[1] / least[0]


def judged(way: Callable[[str], str], text: Text) -> float:
    """Return the ratio, measured more often the worse it looks: only what stays bad is bad."""
    found = ratio(way, repeated(text), 2)
    for rounds in (6, 40):
        if found > LIMIT / 2:
            found = ratio(way, repeated(text), rounds)
    return found


@pytest.mark.long
@pytest.mark.parametrize("name", WAYS)
def test_no_text_costs_more_than_ten_ordinary_ones(name: str) -> None:
    way, chance = WAYS[name], random.Random(1)
    costs: dict[Text, float] = {}

    def ask(text: Text) -> None:
        costs[text] = judged(way, text)
        assert costs[text] <= LIMIT, f"{costs[text]:.1f} ordinary values: {text}"

    for piece in PIECES:
        ask((chance.choice(["", "token", "bearer", "eyJaaaaaaaa", "authorization:", "://", "code\\"]), (piece,)))
    for _ in range(MIXTURES):
        head, pieces = chance.choice(sorted(costs, key=costs.__getitem__)[-12:])
        at = chance.randrange(len(pieces))
        changed = (*pieces[:at], *chance.choices(PIECES, k=chance.randint(1, 2)), *pieces[at + chance.randint(0, 1) :])
        ask((chance.choice([head, *chance.choices(PIECES)]), changed))


def test_no_more_is_looked_at_than_is_kept() -> None:
    for way in WAYS.values():
        for text in ("word " * SENT_CHARS, "a" * SENT_CHARS, "code=x " * SENT_CHARS):
            head = text[:LOOK_CHARS]
            assert way(head + "a b" * 1000) == way(head + "\0%3" * 1000)  # only its length tells


def test_behind_more_names_than_people_write_all_is_masked() -> None:
    names = "code here, " * MOST_NAMES
    assert redact_text(names) == names
    assert redact_text(f"{names}and a code with a word behind it") == f"{names}and a [redacted:secret]"
    counts: dict[str, int] = {}
    redact_text("secret" * 600, counts)
    assert counts == {"redacted_secret": 1}


def test_names_of_classes_are_no_names_of_secrets() -> None:
    trace = "at org.example.TokenEndpoint.refreshToken(TokenEndpoint.java:81) SecretManager SessionFactory " * 40
    assert redact_text(trace[:LOOK_CHARS]) == trace[:LOOK_CHARS]
