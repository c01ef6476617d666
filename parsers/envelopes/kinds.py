"""The envelopes that are known, and what is found in one. A new one is named here, and its form in ``headers`` or ``objects``."""

from typing import Final, NamedTuple


class Envelope(NamedTuple):
    """A wrapper around each line of a log."""

    name: str
    """To be read behind "looks like"."""
    short: str
    """To be read behind the name of a provider: "native in docker"."""


class Taken(NamedTuple):
    """What was in one envelope, or in two."""

    envelopes: tuple[Envelope, ...]
    """The outermost first."""
    text: bytes | None
    """Without a line feed; None when whoever wrote the envelope has left the text out, since it was too long."""
    stream: str | None = None
    """Of an envelope that splits long records: what parts of one record have in common."""
    more: bool = False
    """Whether the record goes on in another line of this stream."""
    sure: bool = True
    """Whether it goes on for certain: Docker leaves out the end of a line as well where a container ends in the middle of one."""


DOCKER: Final = Envelope("Docker's json-file", "docker")
CRI: Final = Envelope("the CRI format of Kubernetes (containerd, CRI-O)", "cri")
JOURNALD: Final = Envelope("journald's JSON", "journald")
SYSLOG_5424: Final = Envelope("syslog (RFC 5424)", "syslog")
SYSLOG_3164: Final = Envelope("syslog (RFC 3164)", "syslog")
FLUENTD: Final = Envelope("Fluentd's or Fluent Bit's JSON", "fluentd")
CLOUD_LOGGING: Final = Envelope("Google Cloud Logging's JSON", "cloud-logging")
SPLUNK: Final = Envelope("Splunk's JSON", "splunk")
GELF: Final = Envelope("GELF (Graylog)", "gelf")
FILEBEAT: Final = Envelope("Filebeat's JSON", "filebeat")
LOGSTASH: Final = Envelope("Logstash's JSON", "logstash")
VECTOR: Final = Envelope("Vector's JSON", "vector")
COLLECTOR: Final = Envelope("a collector's JSON", "collector")
SEQUENCE: Final = Envelope("a JSON text sequence (RFC 7464)", "json-seq")
STRING: Final = Envelope("JSON within a JSON string", "json-string")
SPLITTING: Final = frozenset({DOCKER, CRI, JOURNALD})
"""Their lines are parts of one stream, so no other envelope is taken off with them."""
PREFIX: Final = Envelope("docker compose's or kubectl's prefix", "prefix")
