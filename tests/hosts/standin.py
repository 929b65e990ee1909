"""Stand-ins for a platform's API: what they answer stands in a JSON file, which is read anew for each request.

So a test, or a pipeline whose job asks the stand-in, can change the world meanwhile. As a program a stand-in prints one
JSON line with its URL when it is ready, and serves until its process ends.
"""

import argparse
import json
import signal
import threading
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.webapi.serving import Answer, Seen, Server, json_answer

Json = dict[str, Any]
"""A JSON object that tests write by hand."""


class StandIn(ABC):
    """A platform's API over a file.

    What every state may hold: ``token``, which requests must bring; ``answers``, by parts of a path, the status, body
    and headers to answer instead, for so many ``times`` or always.
    """

    def __init__(self, state: Path) -> None:
        self._file = state
        self._lock = threading.Lock()

    def __call__(self, seen: Seen) -> Answer:
        """Answer a request."""
        with self._lock:
            text = self._file.read_text(encoding="utf-8")
            state: Json = json.loads(text)
            answer = self._instead(seen, state)
            if answer is None and seen.headers.get("authorization") != f"Bearer {state['token']}":
                answer = self.unauthorized()
            if answer is None:
                answer = self.answer(seen, state)
            if state != json.loads(text):
                self._file.write_text(json.dumps(state), encoding="utf-8")
        return answer

    @abstractmethod
    def answer(self, seen: Seen, state: Json) -> Answer:
        """What the platform says; changes to the state are kept."""

    @abstractmethod
    def unauthorized(self) -> Answer:
        """What the platform says to a wrong token."""

    @staticmethod
    def _instead(seen: Seen, state: Json) -> Answer | None:
        for part, answer in state.get("answers", {}).items():
            if part in seen.target and answer.get("times", 1) > 0:
                if "times" in answer:
                    answer["times"] -= 1
                if answer.get("cut"):
                    return Answer(raw=b"")
                body = answer.get("body", {})
                raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
                return Answer(answer.get("status", 200), raw, answer.get("headers", {}))
        return None


def path_of(seen: Seen) -> list[str]:
    """The segments of a request's path, each unquoted."""
    return [unquote(segment) for segment in urlsplit(seen.target).path.strip("/").split("/")]


def query_of(seen: Seen) -> dict[str, str]:
    """The query of a request."""
    return dict(parse_qsl(urlsplit(seen.target).query))


def missing() -> Answer:
    """There is no such thing."""
    return json_answer({"message": "Not Found"}, 404)


def serve(kind: type[StandIn]) -> None:
    """Run a stand-in as a program."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--state", type=Path, required=True)
    options = parser.parse_args()
    ends = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)  # before there are threads, so that only sigwait gets them
    with Server(kind(options.state), port=options.port) as server:
        print(json.dumps({"url": server.url}), flush=True)
        signal.sigwait(ends)
