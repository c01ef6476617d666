"""Logs of other servers and libraries, line by line: whose they look like, and what to do. Tables; nothing is parsed here.

A family is what one library writes; within it the server is told by what it says. So a server's start-up lines, which name
nobody, still count for the family, and few lines that name it name all.
"""

import re
from functools import cache
from typing import Any, Final, NamedTuple

from parsers.contract import OUTCOMES


class Form(NamedTuple):
    """One kind of line."""

    name: str
    family: str
    keys: tuple[str, ...] = ()
    """Of an object: keys that it has, ``a.b`` within ``a`` (or with a dot in its name)."""
    where: tuple[tuple[str, str], ...] = ()
    """Of an object: keys whose value (as text) an expression is found in."""
    text: str = ""
    """Of any other line: the expression at its start."""
    advice: str = ""
    """Empty for the usual one."""


USUAL_ADVICE: Final = (
    "No parser of this installation reads it by itself. If its lines are JSON objects, map them: `tokentail mapping new LOG` "
    "(docs/mapping.md). Else have the endpoint write native lines (docs/native-format.md), or install a parser (entry point "
    "group `tokentail.parsers`)."
)


def _mapped(name: str) -> str:
    return f'A mapping ships for it: give the log `parser = "mapping:{name}"` (docs/mapping.md).'


_FOR_COGNITO: Final = 'For Cognito a mapping ships: give the log `parser = "mapping:cognito"` (docs/mapping.md).'
_FOR_DUENDE: Final = (
    'If it is Duende\'s, give the log `parser = "mapping:duende"`, and switch its events on (docs/mapping.md). '
    "Another one's lines can be mapped: `tokentail mapping new LOG`."
)
_FOR_KEYCLOAK: Final = (
    "tokentail reads it, but none of these lines is a token operation. Does Keycloak log its events, and successes among them? "
    "docs/keycloak.md says what to switch on."
)
_FOR_AUTHELIA: Final = 'Give the log `parser = "authelia"` (docs/authelia.md).'
_FOR_DEX: Final = "Have Dex log JSON (docs/dex.md): a mapping ships for that."
_NOT_FOR_EVENTS: Final = (
    "It holds no token events. Name the log that the token endpoint writes its audit events to, in native lines "
    "(docs/native-format.md)."
)
_ONE_A_LINE: Final = "One event must be one line: `jq -c . LOG > audit.jsonl`."
_AN_ARRAY: Final = "One event must be one line, without a list around all: `jq -c '.[]' LOG > audit.jsonl`."
_TIMES: Final = 'Write `created_at` as RFC 3339 with the zone, such as "2026-11-01T09:30:00.123Z".'
_ACTIONS: Final = (
    "Only actions `token.*` are events. They are written in lower case with dots, such as `token.issued.client_credentials`: "
    "docs/native-format.md, lists them."
)
_NATIVE: Final = ("created_at", "action")

# fmt: off
OF_OBJECTS: Final = (
    # The native line, but for something
    Form("the native format with a comma in its times", "native", _NATIVE, (("created_at", r"\d,\d"),), advice=_TIMES),
    Form(
        "the native format with times as numbers", "native", _NATIVE, (("created_at", r"^[\d.]{9,20}$"),), advice=_TIMES
    ),
    Form(
        "the native format with times that have no zone",
        "native",
        _NATIVE,
        (("created_at", r"^\d{4}-\d\d-\d\d[T ][\d:.]+$"),),
        advice=_TIMES,
    ),
    Form(
        "the native format with times that are not RFC 3339",
        "native",
        _NATIVE,
        (("created_at", r"^(?!\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d{1,18})?(?:[Zz]|[+-]\d\d:\d\d)$)"),),
        advice=_TIMES,
    ),
    Form(
        "the native format with a lifetime written as text",
        "native",
        _NATIVE,
        (("", r'"expires_in":"'),),
        advice='Write `details.expires_in` as a number of seconds: 3600, not "3600".',
    ),
    Form(
        "the native format with actions in other words",
        "native",
        _NATIVE,
        (("action", r"(?i)^(?!token\.).*(?:token|oauth|grant|refresh)"),),
        advice=_ACTIONS,
    ),
    Form(
        "the native format with actions `token.*` that are not in the vocabulary",
        "native",
        _NATIVE,
        (("action", rf"^token\.(?!issued\.)(?!(?:{'|'.join(name.removeprefix('token.') for name in OUTCOMES)})$)"),),
        advice=_ACTIONS,
    ),
    Form(
        "the native format with other actions than token operations",
        "native",
        _NATIVE,
        (("action", r"^(?!token\.)"),),
        advice=_ACTIONS,
    ),
    Form("the native format", "native", _NATIVE, advice="`tokentail explain` says what is wrong with each line."),
    # Keycloak, which logs as JBoss does
    Form(
        "Keycloak's server log in JSON",
        "jboss-json",
        ("loggerName", "threadName"),
        (("loggerName", r"^org\.keycloak\."),),
        advice=_FOR_KEYCLOAK,
    ),
    Form("the JSON log of JBoss or Quarkus (Keycloak's, if it is one)", "jboss-json", ("loggerName", "threadName")),
    Form(
        "Keycloak's server log in ECS (Elastic) JSON",
        "ecs",
        ("@timestamp", "log.logger"),
        (("log.logger", r"^org\.keycloak\."),),
        advice=_FOR_KEYCLOAK,
    ),
    Form("a log in ECS (Elastic) JSON", "ecs", ("@timestamp", "ecs.version")),
    Form(
        "Keycloak's list of events from its admin API",
        "keycloak-api",
        ("time", "type", "realmId", "ipAddress"),
        advice=_FOR_KEYCLOAK,
    ),
    Form(
        "Keycloak's list of admin events from its admin API",
        "keycloak-api",
        ("time", "authDetails", "operationType", "resourceType"),
        advice=_NOT_FOR_EVENTS,
    ),
    # Go
    Form("Ory Hydra's log in JSON", "logrus-json", ("level", "msg"), (("service_name", r"Ory Hydra"),)),
    Form("Ory Kratos' log in JSON", "logrus-json", ("level", "msg"), (("service_name", r"Ory "),)),
    Form(
        "Authelia's log in JSON",
        "logrus-json",
        ("level", "msg", "time"),
        (("", r'/api/oidc/|"remote_ip"|Authelia|OpenID Connect 1\.0 client with client id|Storage schema'),),
        advice=_FOR_AUTHELIA,
    ),
    Form(
        "Dex's log in JSON",
        "slog-json",
        ("time", "level", "msg"),
        (("level", r"^[\"]?[A-Z]+"), ("", r'"dex_version"|"connector_id"|"msg":"config (?:issuer|storage|static client)|"request_id"')),
        advice=_mapped("dex"),
    ),
    Form("the JSON log of a Go program (slog)", "slog-json", ("time", "level", "msg"), (("level", r"^[A-Z]+"),)),
    Form("ZITADEL's log in JSON", "logrus-json", ("level", "msg"), (("caller", r"zitadel"),)),
    Form("the JSON log of a Go program (logrus)", "logrus-json", ("level", "msg", "time"), (("level", r"^[a-z]+"),)),
    Form("the JSON log of a Go program (zap)", "zap-json", ("level", "ts", "msg")),
    Form("OpenTelemetry traces (OTLP JSON)", "otlp", ("resourceSpans",), advice=_NOT_FOR_EVENTS),
    Form("OpenTelemetry logs (OTLP JSON)", "otlp", ("resourceLogs",)),
    # Node.js
    Form("the log of oidc-provider (Node.js) written by pino", "pino", ("level", "time", "pid"), (("", r'"oidc":\{|"event":"(?:grant|authorization|introspection|revocation|access_token|refresh_token)'),)),
    Form("the log of a Node.js program written by pino", "pino", ("level", "time", "pid", "hostname"), (("time", r"^\d"),)),
    Form("the log of a Node.js program written by Bunyan", "bunyan", ("name", "hostname", "pid", "level", "v")),
    Form("the log of a Node.js program written by winston", "winston", ("level", "message", "timestamp")),
    # Python
    Form(
        "the JSON log of a Django server (django-oauth-toolkit)",
        "python-json",
        ("asctime", "levelname"),
        (("name", r"^(?:django|oauth2_provider|oauthlib)"),),
        advice=_mapped("django_oauth_toolkit"),
    ),
    Form("the JSON log of a Python program", "python-json", ("levelname", "message")),
    # Services
    Form("Auth0's tenant log", "auth0", ("date", "type", "log_id"), advice=_mapped("auth0")),
    Form("Auth0's log stream", "auth0", ("log_id", "data.type", "data.date"), advice=_mapped("auth0")),
    Form("Okta's System Log", "okta", ("eventType", "published", "actor", "outcome"), advice=_mapped("okta")),
    Form("AWS CloudTrail", "cloudtrail", ("eventVersion", "eventSource", "eventName"), advice=_FOR_COGNITO),
    Form("AWS CloudTrail", "cloudtrail", ("Records",), advice="The events are in one list: `jq -c '.Records[]'`. " + _FOR_COGNITO),
    Form("sign-in logs of Microsoft Entra ID (Azure AD)", "entra", ("category", "properties"), (("category", r"Logs$"),), advice=_mapped("entra")),
    Form("sign-in logs of Microsoft Entra ID (Azure AD)", "entra", ("createdDateTime", "appDisplayName"), advice=_mapped("entra")),
    Form("activity reports of Google Workspace", "google", ("kind", "id.time", "events"), (("kind", r"^admin#"),)),
    Form("PingFederate's or PingOne's audit log in JSON", "ping", ("recordedAt", "action.type")),
    Form("ForgeRock's (Ping AM's) audit log", "forgerock", ("eventName", "transactionId", "trackingIds"), advice=_mapped("pingam")),
    Form("an access log in JSON (nginx, Caddy, Traefik)", "access-json", (), (("", r'"(?:request|RequestPath|request_uri|requestUri)":'), ("", r'"(?:status|DownstreamStatus)":'))),
    Form("the JSON log of Serilog or ASP.NET (IdentityServer, if it is one)", "dotnet", ("Timestamp", "Level"), advice=_FOR_DUENDE),
    Form("the JSON log of Serilog or ASP.NET (IdentityServer, if it is one)", "dotnet", ("@t", "@mt"), advice=_FOR_DUENDE),
    Form("the JSON log of a Java program (Logback or Log4j)", "java-json", ("logger_name", "level")),
    Form("the JSON log of a Java program (Logback or Log4j)", "java-json", ("loggerName", "level")),
)
"""The first that fits a line is it, so within a family the server stands before the library."""
OF_TEXT: Final = (
    Form("Keycloak's server log in plain text", "jboss-text", text=r"\ufeff?\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} +[A-Z]+ +\[org\.keycloak\.", advice=_FOR_KEYCLOAK),
    Form("the plain-text log of JBoss or Quarkus (Keycloak's, if it is one)", "jboss-text", text=r"\ufeff?\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} +[A-Z]+ +\["),
    Form("Authelia's log in plain text", "logfmt", text=r'time="?\d{4}-.*(?:/api/oidc/|remote_ip=|Authelia|OpenID Connect 1\.0 client|Storage schema)', advice=_FOR_AUTHELIA),
    Form("Ory Hydra's log in plain text", "logfmt", text=r'.*service_name="?Ory Hydra'),
    Form("Dex's log in plain text", "logfmt", text=r"time=.*(?:dex_version=|connector_id=|request_id=)", advice=_FOR_DEX),
    Form("logfmt (key=value)", "logfmt", text=r'(?:[\w.-]{1,40}=(?:"(?:[^"\\]|\\.)*"|[^\s"=]*)(?:\s+|$)){3}'),
    Form("an access log (Apache, nginx)", "access", text=r"\S{1,255} \S{1,64} .{1,64}? \[\d\d/[A-Z][a-z]{2}/\d{4}:", advice=_NOT_FOR_EVENTS),
    Form("CEF (ArcSight)", "cef", text=r"(?:.{0,100} )?CEF:\d\|"),
    Form("LEEF (QRadar)", "cef", text=r"(?:.{0,100} )?LEEF:[\d.]+\|"),
    Form("AWS CloudTrail", "cloudtrail", text=r'\{\s*"Records"\s*:\s*\[', advice="The events are in one list: `jq -c '.Records[]'`. " + _FOR_COGNITO),
    Form("OpenTelemetry traces (OTLP JSON)", "otlp", text=r'\{\s*"resourceSpans"\s*:', advice=_NOT_FOR_EVENTS),
    Form("a JSON array, one element a line", "array", text=r"(?:[\[,]\s*\{.*\}|\{.*\}\s*(?:,|,?\s*\]))\s*$", advice=_AN_ARRAY),
    Form("a JSON array", "array", text=r'\[\s*(?:\{\s*"|$)', advice=_AN_ARRAY),
    Form("several JSON objects on one line", "objects", text=r'\{"(?=.*\}\s*$).*?\}\s*\{"', advice=_ONE_A_LINE),
    Form("objects in Python's, Ruby's or JavaScript's notation", "objects", text=r"\{\s*(?:'|:?[A-Za-z_]\w{0,40}\s*(?::|=>?))", advice="Each line must be a JSON object: keys and texts in double quotes."),
    Form("XML", "xml", text=r"<(?:\?xml|/?[A-Za-z][\w:.-]*[\s/>])"),
    Form("pretty-printed JSON, an event on several lines", "pretty", text=r'(?:[{}\[\]]+,?|"(?:[^"\\]|\\.){1,128}"\s*:\s*\S.*|"[^"]*",?)\s*$', advice=_ONE_A_LINE),
    Form("JSON that is damaged or broken off", "broken", text=r'\s*\{\s*"', advice="`tokentail explain` says what is wrong with each line. Do two writers share the file, or is each event cut at some length?"),
    Form("YAML", "yaml", text=r"(?:---$|- [\w.-]{1,40}:(?: |$))"),
    Form("CSV", "csv", text=r'(?:"(?:[^"]|"")*"|[^,;\t"\s]{0,100})(?:[,;\t](?:"(?:[^"]|"")*"|[^,;\t"]{0,200})){3,}\s*$', advice="Each line must be a JSON object (docs/native-format.md). From PostgreSQL, export `row_to_json` instead of CSV."),
)
# fmt: on
PLAIN_TEXT: Final = Form(
    "plain text",
    "",
    advice="Each line must be a JSON object: have the endpoint write native lines (docs/native-format.md), or name the "
    "log that it writes its audit events to.",
)
OTHER_JSON: Final = Form("JSON lines of a kind that is not known here", "json")
NO_OBJECTS: Final = Form("JSON values that are no objects", "values", advice="Each line must be a JSON object.")
NOT_UTF8: Final = Form(
    "text that is not UTF-8 (Latin-1, perhaps)",
    "bytes",
    advice="Have the endpoint write UTF-8, or convert a copy: `iconv -f LATIN1 -t UTF-8 LOG > LOG.utf8`.",
)


def form_of_object(record: dict[str, Any], text: str) -> Form:
    """Return the form of an object; ``text`` is it as JSON."""
    return next((form for form in OF_OBJECTS if _fits(form, record, text)), OTHER_JSON)


def form_of_text(line: str) -> Form:
    """Return the form of a line that is no JSON object."""
    line = line.lstrip()
    if len(line) > 2 * _EDGE_CHARS:
        line = line[:_EDGE_CHARS] + line[-_EDGE_CHARS:]
    return next((form for form in OF_TEXT if _compiled(form.text).match(line)), PLAIN_TEXT)


_EDGE_CHARS: Final = 1024
"""Of a longer line so much of either end is looked at."""
_compiled: Final = cache(re.compile)
"""Made when it is asked for: most logs are understood."""
_ABSENT: Final = object()


def _fits(form: Form, record: dict[str, Any], text: str) -> bool:
    if any(_value(record, key) is _ABSENT for key in form.keys):
        return False
    for key, expression in form.where:
        value = _value(record, key) if key else text
        if value is _ABSENT or not _compiled(expression).search(_as_text(value)):
            return False
    return True


def _value(record: dict[str, Any], key: str) -> Any:
    if key in record:
        return record[key]
    outer, _, inner = key.partition(".")
    if inner and isinstance(within := record.get(outer), dict):
        return within.get(inner, _ABSENT)
    return _ABSENT


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else str(value)
