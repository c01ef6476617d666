"""Secrets come from the environment, a private file or a systemd credential, and are read anew each time."""

from pathlib import Path

import pytest

from ingestor.config.credentials import Credential, token_of
from ingestor.config.settings import StoreSettings
from ingestor.errors import ConfigError, ExitCode


def secret_file(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def test_the_environment_wins_over_the_file_and_both_over_systemds_credential(tmp_path: Path) -> None:
    credential = token_of(StoreSettings(token_file=secret_file(tmp_path / "token", "of-the-file\n")))
    secret_file(tmp_path / "store-token", "of-systemd", 0o440)
    environment = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert credential.read({**environment, "TOKENTAIL_STORE_TOKEN": "of-the-environment"}) == "of-the-environment"
    assert credential.read(environment) == "of-the-file"
    assert credential._replace(file=None).read(environment) == "of-systemd"
    assert not credential._replace(file=None).read({})


def test_a_rotated_file_is_read_again(tmp_path: Path) -> None:
    credential = Credential("NONE", secret_file(tmp_path / "token", "old"), "token")
    assert credential.read({}) == "old"
    secret_file(tmp_path / "token", "new")
    assert credential.read({}) == "new"


def test_a_byte_order_mark_is_not_part_of_the_secret(tmp_path: Path) -> None:
    credential = Credential("NONE", secret_file(tmp_path / "token", "\ufeffs3cret\r\n"), "token")
    assert credential.read({}) == "s3cret"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(ConfigError, match="Others may read") as caught:
        Credential("NONE", secret_file(tmp_path / "token", "s3cret", mode), "token").read({})
    assert "chmod 600" in str(caught.value)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "\n", "two words", "two\nlines", "x" * 5000, "\u00e9", "\ufeff", "a\ufeffb"])
def test_what_is_no_secret_is_refused_and_not_shown(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match="no secret") as caught:
        Credential("NONE", secret_file(tmp_path / "token", text), "token").read({})
    assert len(str(caught.value)) < 300


def test_an_absent_file_is_a_mistake_of_the_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file") as caught:
        Credential("NONE", tmp_path / "token", "token").read({})
    assert caught.value.exit_code == ExitCode.BAD_CONFIG


@pytest.mark.parametrize("token", ["/Zk3hunter2Ab9Xq7Lm2P==", "/ghp_0123456789abcdefghijABCDEFGHIJ012345"])
def test_a_token_for_a_path_is_not_shown(token: str) -> None:
    with pytest.raises(ConfigError) as caught:
        token_of(StoreSettings(token_file=Path(token))).read({})
    assert str(caught.value).count("[masked]") == 1
    assert token[1:8] not in str(caught.value)
