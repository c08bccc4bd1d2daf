"""The loop of a worker process: a job comes in as a line, events go out as lines.

It is started by `processes` as a program of its own, with the threads of all libraries
limited before any of them is loaded. It ends when its input does, so that none is left
behind when the process that started it is gone.
"""

import dataclasses
import faulthandler
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

import jax

from lowrankflow.simulation import job_from_json
from lowrankflow.store import Event, Store, digest, execute

# Events of the middle of a run that come faster are not sent.
_SECONDS_BETWEEN = 0.1
_MAPS, _MOST_MAPS = Path("/proc/self/maps"), Path("/proc/sys/vm/max_map_count")
_SECONDS_BETWEEN_COUNTS = 10.0


def main() -> None:
    """Answer the lines on standard input until there are no more."""
    # Ctrl-C reaches every process of a terminal; who started this one decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    faulthandler.enable()
    # What libraries print must not come between the lines of the answer.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    spent = _Spent()
    try:
        for line in sys.stdin:
            _answer(json.loads(line), answers, spent)
    except BrokenPipeError:
        # Nobody listens any more; what was done is in the store.
        os._exit(1)


def _answer(
    request: dict[str, Any], answers: TextIO, spent: Callable[[], bool]
) -> None:
    def say(kind: str, content: object) -> None:
        answers.write(json.dumps({"kind": kind, "content": content}) + "\n")
        answers.flush()

    if request.get("compiled"):
        jax.config.update("jax_compilation_cache_dir", request["compiled"])
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)
    name = None
    try:
        job = job_from_json(request["job"])
        name = digest(job)
        tell = _Teller(lambda event: say("event", dataclasses.asdict(event)))
        execute(job, Store(request["folder"]), progress=tell)
    except BrokenPipeError:
        raise
    except Exception as error:
        failure = {
            "digest": name,
            "reason": str(error) or type(error).__name__,
            "traceback": "".join(traceback.format_exception(error)),
            "spent": spent(),
        }
        say("failed", failure)
    else:
        found = tell.last == "found"
        say("done", {"digest": name, "found": found, "spent": spent()})


def few_maps_left(maps: Path = _MAPS, most: Path = _MOST_MAPS) -> bool:
    """Whether a process has half of the memory maps that Linux allows it.

    Every compiled program takes some and few of them are given back; a process that
    asks for one too many is aborted. Elsewhere there is no such limit to be read.
    """
    try:
        with maps.open("rb") as lines:
            return 2 * sum(1 for _ in lines) > int(most.read_text())
    except (OSError, ValueError):
        return False


class _Spent:
    """Whether a worker should make room for a new one; not looked at all the time."""

    def __init__(self):
        self._next = 0.0

    def __call__(self) -> bool:
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = now + _SECONDS_BETWEEN_COUNTS
        return few_maps_left()


class _Teller:
    """Passes events on, but not more of the middle of a run than anyone can read."""

    def __init__(self, say: Callable[[Event], None]):
        self._say, self._next, self.last = say, 0.0, ""

    def __call__(self, event: Event) -> None:
        self.last = event.stage
        now = time.monotonic()
        if event.stage == "running" and now < self._next:
            return
        self._next = now + _SECONDS_BETWEEN
        self._say(event)


if __name__ == "__main__":
    main()
