"""What all commands share: options, progress, and how an answer is printed."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Protocol

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

Data = Annotated[
    Path | None,
    typer.Option(
        "--data", metavar="DIR", help="Folder of the store. Default: tenprint-data, or TENPRINT_DATA."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on standard output and nothing else there.")]
Ppi = Annotated[
    int | None,
    typer.Option("--ppi", metavar="N", help="Pixels per inch of the images, when the files do not carry it."),
]

#: Answers go to standard output; progress and remarks to standard error.
out = Console(highlight=False, soft_wrap=True)
remarks = Console(stderr=True, highlight=False, soft_wrap=True)


class Advance(Protocol):
    """Reports how far a job is."""

    def __call__(self, done: int, total: int) -> None:
        """`done` of `total` steps are over."""


@contextmanager
def progress(what: str) -> Iterator[Advance]:
    """A bar on a terminal; elsewhere a plain line at every tenth of the way."""
    if not remarks.is_terminal:
        yield _plain_lines(what)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=remarks, transient=True) as bar:
        task = bar.add_task(what, total=None)

        def advance(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield advance


def _plain_lines(what: str) -> Advance:
    last = -1

    def advance(done: int, total: int) -> None:
        nonlocal last
        tenth = 10 * done // max(total, 1)
        # Short jobs need no lines; a job of hundreds of steps shows that it lives.
        if total >= 100 and tenth != last:
            last = tenth
            remarks.print(f"{what}: {done} of {total}")

    return advance


def print_json(document: Any) -> None:
    """One JSON document on one line of standard output."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False) + "\n")
    sys.stdout.flush()
