"""Progress of a command with several stages, one bar at a time."""

from __future__ import annotations

from contextlib import ExitStack
from types import TracebackType
from typing import Self

from api.cli_common import Advance, progress


class StageProgress:
    """One bar at a time: a new stage replaces the one before."""

    def __init__(self) -> None:
        self._open = ExitStack()
        self._stage: str | None = None
        self._advance: Advance | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def update(self, stage: str, done: int, total: int) -> None:
        """Say that `done` of `total` are finished in `stage`."""
        if stage != self._stage:
            self._open.close()
            self._stage, self._advance = stage, self._open.enter_context(progress(stage))
        if self._advance is not None:
            self._advance(done, total)
