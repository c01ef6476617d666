"""Carry out what other processes ask for, in the process that holds the state."""

import logging
import sqlite3
import time
from collections.abc import Callable

from ingestor.daemon.patience import StoppingError, calling
from ingestor.errors import TokentailError
from ingestor.jobs.backfill import backfill
from ingestor.jobs.replay import replay
from ingestor.pipeline.pipeline import Pipeline
from ingestor.state import requests

log = logging.getLogger("tokentail")


class RequestRunner:
    """The requests that lie in the state, one after the other."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._connection = pipeline.state.connection
        self._answer: tuple[int, dict[str, object]] | None = None
        """The answer to a request, until the state has it."""

    def run_next(self, tick: Callable[[], None]) -> None:
        """Carry out the next request, should there be one. ``tick`` is called now and then; it may raise StoppingError."""
        try:
            if self._answer is not None:
                requests.finish(self._connection, *self._answer)
                self._answer = None
            request = requests.next_request(self._connection)
        except sqlite3.Error:
            return  # the commit will say so
        if request is None:
            return
        try:
            with calling(self._pipeline.delivery, tick):
                answer = carry_out(self._pipeline, request, tick)
        except StoppingError:
            return  # it is carried out again at the next start
        except TokentailError as error:
            answer = {"error": str(error), "exit_code": int(error.exit_code)}
        except (sqlite3.Error, OSError) as error:
            log.error("Request %d (%s) waits: %s", request.number, request.kind, error)
            return
        except Exception as error:  # noqa: BLE001 - a request must not end the daemon, least of all at every start
            log.error("Request %d (%s) failed: %s", request.number, request.kind, type(error).__name__)
            answer = {"error": f"It failed, which is a defect of tokentail: {type(error).__name__}", "exit_code": 1}
        self._answer = (request.number, answer)


def carry_out(pipeline: Pipeline, request: requests.Request, tick: Callable[[], None]) -> dict[str, object]:
    """Do what a request asks for. ``tick`` is called now and then."""
    match request.kind:
        case "backfill":
            paths = request.arguments["paths"]  # who asks has expanded patterns; what is left are names
            done = backfill(pipeline, paths, source=request.arguments.get("source"), progress=lambda *_: tick())
            for problem in filter(None, (file.problem for file in done)):
                log.warning("%s", problem)
            return {"files": [file._asdict() for file in done]}
        case "replay":
            return dict(replay(pipeline, time.time_ns() // 1_000_000)._asdict())
        case "recount":
            return {"events": pipeline.recount(tick)}
        case unknown:
            raise TokentailError(f"This daemon does not know the request {unknown!r}", advice="Is it an older version?")
