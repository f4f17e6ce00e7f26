"""Exit codes of the command line, documented in `docs/cli.md`."""

from __future__ import annotations

from typing import Final

#: The work was done, whatever the answer.
DONE: Final = 0
#: Some input was refused (the rest is done), or with --exit-code the answer was no.
INPUT_REFUSED: Final = 1
#: The command was called wrongly.
USAGE: Final = 2
#: Nothing could be done: store, settings, weights.
CANNOT_WORK: Final = 3
#: Ctrl-C: the same command carries on.
INTERRUPTED: Final = 130
