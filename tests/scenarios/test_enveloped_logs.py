"""A log in an envelope is a log: read, killed, rotated, verified and shown as one without."""

import json
import shutil

import pytest

from tests.support.enveloped import ALL as ENVELOPES
from tests.support.enveloped import SYSLOG, Wrap, cri, docker
from tests.support.scene import Scene

ALL: dict[str, Wrap] = {**ENVELOPES, "none": lambda line: line + b"\n"}
SOME = ("none", "docker", "cri", "journald", "traditional", "rfc 5424", "fluentd", "json")


def wrapped(scene: Scene, name: str, count: int = 5) -> bytes:
    return b"".join(ALL[name](scene.log.line().rstrip(b"\n")) for _ in range(count))


@pytest.mark.parametrize("name", SOME)
def test_it_is_read_verified_explained_and_shown(scene: Scene, name: str) -> None:
    scene.log.write(wrapped(scene, name, 30))
    said = scene.tokentail("validate").stdout
    short = "syslog" if name in SYSLOG else "collector" if name == "json" else name
    named = "native" if name == "none" else f"native in {short}"
    assert f"{named})" in " ".join(said.split())
    scene.once("--strict")
    assert scene.backfill(scene.log.path)[0]["new"] == 0
    explained = [json.loads(line) for line in scene.tokentail("explain", "--json", scene.log.path).stdout.splitlines()]
    assert {(line["result"], line["parser"]) for line in explained} == {("event", named)}
    assert named in scene.tokentail("explain", scene.log.path).stdout
    scene.check()


@pytest.mark.long
@pytest.mark.parametrize("name", SOME)
@pytest.mark.parametrize("cut", [1, 20, 45, 70, 150])
def test_half_a_line_waits_for_its_end(scene: Scene, name: str, cut: int) -> None:
    scene.log.write(wrapped(scene, name))
    line = wrapped(scene, name, 1)
    scene.log.write(line[:cut])
    copy = scene.log.path.with_name("before-upgrade")
    shutil.copyfile(scene.log.path, copy)
    scene.turn(2)
    scene.stop()
    assert scene.backfill(copy)[0]["left"] == cut
    scene.log.write(line[cut:] + wrapped(scene, name))
    scene.turn(3)
    assert scene.backfill(copy)[0]["left"] == cut
    scene.check()


@pytest.mark.long
@pytest.mark.parametrize("name", SOME)
@pytest.mark.parametrize("cut", [1, 20, 45, 70, 150])
def test_half_a_line_that_was_taken_for_the_last_one_is_made_whole(scene: Scene, name: str, cut: int) -> None:
    scene.log.write(wrapped(scene, name))
    scene.once()
    line = wrapped(scene, name, 1)
    scene.log.write(line[:cut])
    rotated = scene.log.rename()
    scene.log.write(wrapped(scene, name))
    scene.turn(20)
    scene.log.write(line[cut:], to=rotated)
    scene.turn(20)
    scene.stop()
    assert scene.stored() == sorted(scene.log.written)
    assert {kind: scene.status()[kind] for kind in ("read", "rejected", "ignored")} == {
        "read": 11,
        "rejected": 0,
        "ignored": 0,
    }


def test_a_log_may_change_from_one_to_the_other(scene: Scene) -> None:
    """An endpoint is moved into a container, and its log goes on in the same file."""
    scene.log.write(scene.log.lines(5))
    for name in SOME:
        scene.log.write(wrapped(scene, name))
        scene.turn()
        scene.stop()
    scene.log.write(scene.log.lines(5))
    scene.turn(2)
    scene.check()


@pytest.mark.parametrize("wrap", [docker, cri])
def test_what_is_rejected_is_listed_without_its_envelope(scene: Scene, wrap: Wrap) -> None:
    line = b'{"created_at":"yesterday","action":"token.revoked","details":{"client_id":"web"}}'
    scene.log.write(wrap(line) + wrapped(scene, "docker"))
    scene.once()
    entry = json.loads(scene.tokentail("rejected", "list", "--json").stdout)
    assert entry["text"] == line.decode()
    assert entry["length"] == scene.log.path.read_bytes().index(b"\n")
    scene.check(rejected=1)
