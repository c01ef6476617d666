"""`status` says whose log each source is: by its events, as of its newest generation, without reading anything again."""

from dataclasses import replace

import pytest

from ingestor.config.settings import LogSettings
from ingestor.jobs.status import status
from tests.docs.markdown import ROOT
from tests.support.enveloped import cri, docker
from tests.support.world import World

OKTA = (ROOT / "parsers/mapping/testcases/okta-operations/input.jsonl").read_bytes().splitlines()


def providers(world: World) -> dict[str, str]:
    return {entry.source: entry.provider for entry in world.ask(status).logs}


def told(world: World) -> str:
    return providers(world)[str(world.log.path)]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (OKTA, "mapping:okta"),
        ([docker(line) for line in OKTA], "mapping:okta in docker"),
        ([b"Starting", b"", *(cri(line) for line in OKTA)], "mapping:okta in cri"),
        ([b"Starting"], ""),
    ],
)
def test_a_log_says_whose_it_is(world: World, lines: list[bytes], expected: str) -> None:
    world.log.write(b"".join(line.rstrip(b"\n") + b"\n" for line in lines))
    world.once()
    assert told(world) == expected


def test_it_is_told_as_soon_as_there_is_an_event(world: World) -> None:
    world.log.write(b"Starting\n")
    world.turn(2)
    assert told(world) == ""
    world.log.write(docker(world.log.line().strip()))
    world.turn(2)
    assert told(world) == "native in docker"
    world.log.write(1)  # one line of another kind does not make it another log
    world.turn(2)
    assert told(world) == "native in docker"


def test_it_outlives_the_daemon_and_the_log_and_goes_with_the_newest_generation(world: World) -> None:
    world.log.write(3)
    world.once()
    world.log.rename()
    assert told(world) == "native"
    world.log.write(b"".join(docker(line) for line in OKTA))
    world.once()
    assert told(world) == "mapping:okta in docker"
    world.log.path.unlink()
    assert told(world) == "mapping:okta in docker"


def test_another_parser_in_the_configuration_is_told_with_the_next_event(world: World) -> None:
    world.log.write(b"\n".join(OKTA[:4]) + b"\n")
    world.turn(2)
    assert told(world) == "mapping:okta"
    settings = replace(world.settings, logs=(LogSettings(str(world.log.path), parser="native"),))
    assert world.daemon.reload(settings)
    world.log.write(1)
    world.turn(2)
    assert told(world) == "native"


def test_logs_are_told_apart(world: World) -> None:
    other = world.new_log("okta.log")
    world.log_settings = (*world.log_settings, LogSettings(str(other.path), source="okta"))
    world.log.write(1)
    other.path.write_bytes(b"\n".join(OKTA) + b"\n")
    world.once()
    assert providers(world) == {str(world.log.path): "native", "okta": "mapping:okta"}


def test_what_parsers_leave_out_is_not_counted_once_more(world: World) -> None:
    world.log.write(world.log.line(details={"client_id": "web", "ip_address": "nowhere"}))
    world.turn(2)
    assert world.ask(status).counts == {"addresses_invalid": 1}
