"""How well slaps are cut up: boxes, names and hands against the truth of synthetic slaps.

    python -m benchmarks.slaps --hands 200

Hands come in turn as an adult's, with one or two fingers missing, a child's (5, 8, 12 years), and turned by
up to 35 degrees; every second hand comes with the person's thumbs. A box is right when each of its four sides
lies within 64 px (3.3 mm) of the true one and the finger has the right name. Each four-finger slap is also
given the other hand's label, and a wrong list of missing fingers: neither may pass without a word.
Seed 1 made the people on whom `benchmarks.slap_loops` fits; the default is another.
"""

from __future__ import annotations

import argparse
import math
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from enrollment.capture import FingerprintImage
from enrollment.slap_hand import Hand
from enrollment.slaps import FINGERS_OF, CutSlap, UncutSlap, cut
from fixtures.finger import MasterFinger, master_finger
from fixtures.slaps import Slap, slap
from matcher.codes import FINGERS, FingerPosition

#: Tolerance of each side of a box, in px at 500 ppi.
TOLERANCE_PX = 64
_FOUR = {Hand.RIGHT: FingerPosition.PLAIN_RIGHT_FOUR, Hand.LEFT: FingerPosition.PLAIN_LEFT_FOUR}
_KINDS = ("adult", "missing", "child", "turned")
_AGES = (5.0, 8.0, 12.0)
_MOST_TURN_DEG = 35.0
#: Share of dark pixels in the fingers' boxes below and above which a hand was dry or wet.
_DRY, _WET = 0.22, 0.45
#: Standard deviations of a 95 % interval.
_Z = 1.96


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A slap to cut. boxes: the true box of each finger, from left to right."""

    kinds: tuple[str, ...]
    position: FingerPosition
    image: FingerprintImage
    missing: tuple[FingerPosition, ...]
    fingers: tuple[FingerPosition, ...]
    boxes: tuple[tuple[int, int, int, int], ...]


@dataclass(slots=True)
class Tally:
    """Counts by question: [yes, asked]."""

    counts: dict[str, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))
    times_ms: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def ask(self, question: str, *, yes: bool, about: str = "") -> None:
        """Count an answer; a no is kept with what it was about."""
        self.counts[question][0] += yes
        self.counts[question][1] += 1
        if not yes and about:
            self.wrong.append(f"{question}: {about}")


def cases(hands: int, seed: int) -> Iterator[Case]:
    """Slaps of `hands` hands, and the thumbs of every second, person by person."""
    for number in range(hands):
        person, side = number // 2, (Hand.RIGHT, Hand.LEFT)[number % 2]
        kind = _KINDS[person % len(_KINDS)]
        if side is Hand.RIGHT:
            masters = [master_finger(seed, person, finger) for finger in FINGERS]
        rng = np.random.default_rng([seed, number])
        yield _case(masters, _FOUR[side], kind, rng)
        if side is Hand.LEFT:
            yield _case(masters, FingerPosition.PLAIN_THUMBS, kind, rng)
            yield _case(masters, FingerPosition.PLAIN_RIGHT_THUMB, kind, rng)
            yield _case(masters, FingerPosition.PLAIN_LEFT_THUMB, kind, rng)


def _case(
    masters: Sequence[MasterFinger], position: FingerPosition, kind: str, rng: np.random.Generator
) -> Case:
    fingers = FINGERS_OF[position]
    missing: tuple[FingerPosition, ...] = ()
    if kind == "missing" and len(fingers) > 1:
        most = len(fingers) // 2
        drawn = rng.choice(len(fingers), int(rng.integers(1, most + 1)), replace=False)
        missing = tuple(fingers[one] for one in sorted(drawn))
    age = float(rng.choice(_AGES)) if kind == "child" else None
    own = [master for master in masters if master.position in fingers]
    made = slap(own, position, 1, age=age, missing=missing)
    image, boxes = made.image, tuple(finger.box for finger in made.fingers)
    kinds = (kind, _wetness(made))
    if kind == "turned" and len(fingers) > 2:
        image, boxes = _turned(made, float(rng.uniform(-_MOST_TURN_DEG, _MOST_TURN_DEG)))
    named = tuple(finger.position for finger in made.fingers)
    return Case(kinds, position, image, missing, named, boxes)


def _wetness(made: Slap) -> str:
    dark = [
        (made.image.pixels[top:bottom, left:right] < 128).mean()
        for left, top, right, bottom in (finger.box for finger in made.fingers)
    ]
    share = float(np.mean(dark))
    return "dry" if share < _DRY else "wet" if share > _WET else "normal"


def _turned(made: Slap, degrees: float) -> tuple[FingerprintImage, tuple[tuple[int, int, int, int], ...]]:
    """The whole picture turned on a larger ground, and the boxes of where the fingers then are."""
    pixels = made.image.pixels
    height, width = pixels.shape
    side = math.ceil(math.hypot(height, width) * 0.9)
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    turn[:, 2] += ((side - width) / 2, (side - height) / 2)
    ground = int(np.median(pixels))
    image = cv2.warpAffine(pixels, turn, (side, side), flags=cv2.INTER_CUBIC, borderValue=ground)
    boxes = []
    for finger in made.fingers:
        touched = cv2.warpAffine(finger.touched.astype(np.uint8), turn, (side, side), flags=cv2.INTER_NEAREST)
        left, top, wide, tall = cv2.boundingRect(touched)
        boxes.append((left, top, left + wide, top + tall))
    return FingerprintImage(np.asarray(image, dtype=np.uint8), made.image.ppi), tuple(boxes)


def judge(case: Case, tally: Tally) -> None:
    """Cut a slap as labelled, and count what is right."""
    about = f"{case.position.name.lower()} {' '.join(case.kinds)}"
    began = time.perf_counter()
    answer = cut(case.image, case.position, case.missing)
    tally.times_ms.append(1e3 * (time.perf_counter() - began))
    for number, (name, box) in enumerate(zip(case.fingers, case.boxes, strict=True)):
        right = isinstance(answer, CutSlap) and _agrees(answer, number, name, box)
        for kind in ("all", *case.kinds):
            tally.ask(f"fingers {kind}", yes=right, about=f"{about} {name.name.lower()}" * (kind == "all"))
    if case.position in _FOUR.values():
        _judge_hand(case, answer, tally, about)
        _judge_lies(case, tally, about)


def _agrees(answer: CutSlap, number: int, name: FingerPosition, box: tuple[int, int, int, int]) -> bool:
    found = answer.fingers[number]
    sides: NDArray[np.int64] = np.abs(np.subtract(found.box, box))
    return found.position is name and int(sides.max()) <= TOLERANCE_PX


def _judge_hand(case: Case, answer: CutSlap | UncutSlap, tally: Tally, about: str) -> None:
    seen = answer.hand if isinstance(answer, CutSlap) else None
    fingers = f"of {len(case.fingers)} fingers"
    right = seen is not None and _FOUR[seen] is case.position
    tally.ask(f"hand {fingers}: told right", yes=right)
    tally.ask(f"hand {fingers}: not told wrong", yes=seen is None or right, about=about)


def _judge_lies(case: Case, tally: Tally, about: str) -> None:
    """The other hand's label; a finger missing that nobody declared, or declared that is there."""
    right = case.position is FingerPosition.PLAIN_RIGHT_FOUR
    other = FingerPosition.PLAIN_LEFT_FOUR if right else FingerPosition.PLAIN_RIGHT_FOUR
    mirrored = tuple(FingerPosition((finger + 4) % 10 + 1) for finger in case.missing)
    answer = cut(case.image, other, mirrored)
    fingers = f"of {len(case.fingers)} fingers"
    noticed = isinstance(answer, UncutSlap) or answer.other_hand
    tally.ask(f"wrong label {fingers} flagged", yes=noticed, about=about)
    wrong = () if case.missing else (case.fingers[1],)
    refused = isinstance(cut(case.image, case.position, wrong), UncutSlap)
    tally.ask("wrong list of missing fingers refused", yes=refused, about=about)


def wilson(yes: int, asked: int) -> tuple[float, float]:
    """95 % interval of a share."""
    share, square = yes / asked, _Z**2 / asked
    middle = share + square / 2
    half = _Z * math.sqrt(share * (1 - share) / asked + square / (4 * asked))
    return (middle - half) / (1 + square), (middle + half) / (1 + square)


def main() -> None:
    """Print shares with intervals, what went wrong, and times."""
    parser = argparse.ArgumentParser(description="Slaps cut up against the truth of synthetic ones.")
    parser.add_argument("--hands", type=int, default=200)
    parser.add_argument("--seed", type=int, default=2)
    given = parser.parse_args()
    cv2.setNumThreads(1)
    tally = Tally()
    for case in cases(given.hands, given.seed):
        judge(case, tally)
    for question, (yes, asked) in sorted(tally.counts.items()):
        low, high = wilson(yes, asked)
        print(f"{question:42} {yes:5} of {asked:5}  {yes / asked:7.2%}  ({low:.2%} to {high:.2%})")
    print(f"time: p50 {np.median(tally.times_ms):.0f} ms, p95 {np.percentile(tally.times_ms, 95):.0f} ms")
    for wrong in tally.wrong:
        print(f"wrong: {wrong}")


if __name__ == "__main__":
    main()
