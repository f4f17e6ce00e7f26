"""Calling `tenprint` as a user does, in this process, because starting Python each time takes seconds."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import pytest

from api.cli import main


@dataclass(frozen=True)
class Called:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Its standard output as one JSON document."""
        return json.loads(self.out)


#: `call("identify", path, "--json")`.
Call: TypeAlias = Callable[..., Called]


def caller(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Run the real entry point with these arguments."""

    def call(*arguments: object) -> Called:
        monkeypatch.setattr(sys, "argv", ["tenprint", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        code = ended.value.code
        return Called(code if isinstance(code, int) else 1, captured.out, captured.err)

    return call
