import contextlib
from pathlib import Path

from ingestor.config.settings import Settings
from ingestor.pipeline.pipeline import Pipeline
from ingestor.state.state import State


def test_what_parsers_left_out_is_kept_over_any_number_of_reloads(tmp_path: Path) -> None:
    settings = Settings(state_directory=tmp_path)
    with (
        contextlib.closing(State.open(tmp_path, "host-1")) as state,
        contextlib.closing(Pipeline(settings, state)) as pipeline,
    ):
        parser = pipeline.parser_of("native.log")
        line = b'{"created_at":"2026-11-01T00:00:00.000Z","action":"token.refreshed","details":{"client_id":"w","ip_address":"nowhere"}}\n'
        parser.parse(line, 1_800_000_000_000)
        left_out = pipeline.counts()
        assert left_out
        for _ in range(3):
            pipeline.reload(settings)
            assert pipeline.counts() == left_out
