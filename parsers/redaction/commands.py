r"""Secrets in commands and statements: behind an option that is no name (``-p``, ``-u``), or in a place of SQL.

As linear as ``parsers.redaction.patterns`` demands: what stands between a command and its option is bounded.
"""

import re
from typing import Final

from parsers.redaction.expression import Expression
from parsers.redaction.sentences import ORDINARY

_CHAR: Final = r"[^\s\"'`]"
_USER: Final = r"[^\s:\"'`/@\[]{1,64}"


def _option(commands: str, option: str) -> Expression:
    """Return the expression of a command and, within 160 characters of its line, an option with a secret behind it.

    There is no other such command in between: each character is looked at from one of them alone.
    """
    return Expression(
        rf"(?P<name>(?<![\w-])(?:{commands})(?:(?!{commands})[^\n|;]){{0,160}}?\s(?:{option}))(?P<open>[\"']?)"
        rf"(?!\[redacted:)(?P<value>{_CHAR}+)(?P<close>(?P=open)?)",
        re.IGNORECASE,
    )


COMMANDS: Final = (
    (
        ("curl", "wget", "http ", "https ", "xh ", "-u", "--user"),
        Expression(
            rf"(?P<name>(?<![\w-])(?:-u|--user|--proxy-user|-U|-a|--auth)[\s=]?\s?[\"']?{_USER}:)(?P<open>)"
            rf"(?!//|\[redacted:)(?P<value>{_CHAR}+)(?P<close>)",
        ),
    ),
    (("mysql", "mariadb"), _option(r"(?:mysql|mariadb)[a-z_-]{0,12}", r"-p(?=\S)")),
    (("sshpass", "mongo", "sqlcmd", "docker login", "az login", "smbclient", "htpasswd", "ldap", "redis-cli", "openssl", "zip"), _option("sshpass|mongo(?:sh|dump|restore)?|docker|az login", r"-p\s?")),
    (("redis-cli",), _option("redis-cli", r"-a\s")),
    (("ldap",), _option("ldap[a-z]{3,8}", r"-w\s?")),
    (("htpasswd",), Expression(
        rf"(?P<name>(?<![\w-])htpasswd(?:\s{{1,4}}-[a-z]{{1,8}}){{0,4}}\s{{1,4}}-[a-z]{{0,8}}b[a-z]{{0,8}}(?:\s{{1,4}}[^\s|;]{{1,128}}){{1,2}}\s{{1,4}})(?P<open>[\"']?)"
        rf"(?!\[redacted:)(?P<value>{_CHAR}+)(?P<close>(?P=open)?)(?=\s*(?:\Z|[|;&\n]))",
        re.IGNORECASE,
    )),
    (("smbclient", "rpcclient", "smbmap", "net "), Expression(
        rf"(?P<name>(?<![\w-])(?:-U|--user)[\s=]?[\"']?[^\s%\"'`]{{1,64}}%)(?P<open>)(?!\[redacted:)(?P<value>{_CHAR}+)(?P<close>)",
    )),
    (("net use",), _option("net use", r"/user:[^\s]{1,64}\s{1,2}")),
    (("jdbc:oracle",), Expression(
        r"(?P<name>jdbc:oracle:[a-z0-9]{1,8}:[^\s/@:\"']{1,64}/)(?P<open>)(?!\[redacted:)(?P<value>[^\s@\"']{1,128})(?P<close>@)",
        re.IGNORECASE,
    )),
    (("snmp",), _option("snmp[a-z]{3,8}", r"(?-i:-A)\s")),
    (("snmp",), _option("snmp[a-z]{3,8}", r"(?-i:-X)\s")),
    (("sqlcmd",), _option("sqlcmd", r"-P\s?")),
    (
        ("credential", "basic auth"),
        Expression(
            rf"(?P<name>\b(?:credentials?|basic auth)[\s:(]{{1,3}}{_USER}:)(?P<open>)(?!{ORDINARY}|\[redacted:)"
            rf"(?P<value>{_CHAR}+)(?P<close>)",
            re.IGNORECASE,
        ),
    ),
    (
        ("values",),
        Expression(r"(?P<name>\bvalues\s{0,4}\()(?P<open>)(?P<value>[^)]*)(?P<close>)", re.IGNORECASE),
    ),
    (
        ("identified by", "parameter"),
        Expression(
            r"(?P<name>identified by\s{1,4}+|parameters?:? [$\[]?[0-9]{1,3}\]?(?: as \[[A-Za-z_ ]{1,20}\])?\s{0,2}[=-]\s{0,2}+\[?+)"
            r"(?P<open>['\"]?+)(?!\[redacted:)(?P<value>[^'\"\]\r\n]+)(?P<close>)",
            re.IGNORECASE,
        ),
    ),
    (
        # An option that has a name takes any word: a command is no sentence.
        ("--pass", "--secret", "--token", "--client-secret", "--api-key", "--pw", "--code", "--otp", "-passin", "-storepass", "-keypass"),
        Expression(
            r"(?P<name>(?<![\w-])(?:--[a-z-]{0,16}(?:password|passwd|passphrase|pass|secret|token|api-key|pwd?|code|otp)"
            r"|-(?:passin|storepass|keypass|pass))\s{1,3})(?P<open>[\"']?)(?![-\[])"
            rf"(?P<value>{_CHAR}+)(?P<close>)",
            re.IGNORECASE,
        ),
    ),
)  # fmt: skip
"""Hints, and what they may be hints of."""
