"""What long runs have done so far: a file of one line a round, so that an interrupted run goes on.

A round is named by harness, number, seed and size; the same name is never run twice once it passed. Counts
of rounds add up, except those whose name begins with "slowest", of which the largest stays.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

#: What is said of a group of things, as words and numbers: {"SQLite": {"kills": 25, "lost": 0}}.
Counts = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Round:
    """One entry. size: how much of its harness's unit it did. fault: why it failed; empty when it passed."""

    harness: str
    number: int
    seed: int
    size: int
    seconds: float
    counts: Counts = field(default_factory=dict)
    fault: str = ""
    at: str = ""

    @property
    def name(self) -> tuple[str, int, int, int]:
        """What makes two entries the same round."""
        return self.harness, self.number, self.seed, self.size


class Journal:
    """The rounds in a file; the newest entry of a round counts."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rounds: dict[tuple[str, int, int, int], Round] = {}
        for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
            self._keep(Round(**json.loads(line)))

    def add(self, done: Round) -> None:
        """Write a round down, durably."""
        stamped = asdict(done) | {"at": time.strftime("%Y-%m-%d %H:%M:%S")}
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(stamped) + "\n")
            file.flush()
            os.fsync(file.fileno())
        self._keep(Round(**stamped))

    def passed(self, name: tuple[str, int, int, int]) -> bool:
        """Whether this round was run and found nothing."""
        known = self._rounds.get(name)
        return known is not None and not known.fault

    def of(self, harness: str, seed: int) -> list[Round]:
        """The rounds of a harness with a seed."""
        return [each for each in self._rounds.values() if (each.harness, each.seed) == (harness, seed)]

    def _keep(self, each: Round) -> None:
        self._rounds[each.name] = each


def report(harness: str, rounds: list[Round]) -> Iterator[str]:
    """The lines of a report on a harness: what its rounds add up to, and every fault."""
    passed = [each for each in rounds if not each.fault]
    seconds = sum(each.seconds for each in passed)
    days = sorted(each.at[:10] for each in passed)
    yield f"## {harness}: {len(passed)} rounds, {seconds:.0f} s{f', {days[0]} to {days[-1]}' if days else ''}"
    yield ""
    for group, counts in sum_of(passed).items():
        told = (f"{_number(value)} {word}" for word, value in counts.items())
        yield f"- {group}: {', '.join(told)}"
    for each in rounds:
        if each.fault:
            yield f"- FAULT in round {each.number}: {each.fault}"
    yield ""


def sum_of(rounds: list[Round]) -> dict[str, dict[str, float]]:
    """The counts of rounds together."""
    total: dict[str, dict[str, float]] = {}
    for each in rounds:
        for group, counts in each.counts.items():
            into = total.setdefault(group, {})
            for word, value in counts.items():
                known = into.get(word, 0)
                into[word] = max(known, value) if word.startswith("slowest") else known + value
    return total


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.3g}"
