"""NFIQ 2 is NIST's own number, computed behind the wall; where there is none, the reason has a name."""

from __future__ import annotations

import csv
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from ridge_pictures import ridge_picture
from test_sandbox_failures import children_of, eventually

from enrollment.capture import Capture, Finger, FingerprintImage, Measure
from enrollment.nfiq2 import ALGORITHM, Nfiq2Sandbox
from enrollment.workers import ExtractionPool
from matcher.codes import FingerPosition, ImpressionType

REAL = Path(__file__).parents[3] / "shared" / "data"
PRINT = FingerprintImage(ridge_picture(320, 384, seed=2).pixels, 500)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Nfiq2Sandbox]:
    """One worker for all tests: its forest takes a second to unpack."""
    with Nfiq2Sandbox(workers=1) as pool:
        yield pool


def real_picture(path: Path) -> FingerprintImage:
    """A real picture as the reference saw it: as if at 500 ppi."""
    if not path.is_file():
        pytest.skip(f"the real prints are not beside the checkout: {path.parent.name}")
    return FingerprintImage(np.array(Image.open(path).convert("L")), 500)


def reference_rows() -> list[dict[str, str]]:
    """Every 40th row of the reference: two pictures of each set."""
    table = REAL / "quality" / "nfiq2-v2.3-fvc2002.csv"
    if not table.is_file():
        return []
    with table.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))[::40]


@pytest.mark.real_data
def test_score_is_the_reference_implementations(sandbox: Nfiq2Sandbox) -> None:
    """NFIQ 2 2.3.0 itself, run by us elsewhere on FVC2002 B."""
    rows = reference_rows()
    if not rows:
        pytest.skip("the reference scores are not beside the checkout")
    for row in rows:
        folder, name = row["file"].split("/")[1:]
        image = real_picture(REAL / "fvc2002" / folder.lower() / name)
        assert sandbox.score(image) == Measure(ALGORITHM, int(row["nfiq2_score"]))


@pytest.mark.real_data
def test_what_the_reference_refuses_is_refused(sandbox: Nfiq2Sandbox) -> None:
    """The one print of FVC2002 B that it finds too small."""
    image = real_picture(REAL / "fvc2002" / "db3_b" / "110_5.tif")
    assert sandbox.score(image) == Measure(ALGORITHM, None, "too_small")


@pytest.mark.real_data
@pytest.mark.parametrize(("number", "score"), [(1, 54), (2, 45), (3, 53)])
def test_official_examples(sandbox: Nfiq2Sandbox, number: int, score: int) -> None:
    """NIST's synthetic examples and the scores printed with them."""
    image = real_picture(REAL / "quality" / f"SFinGe_Test{number:02}.pgm")
    assert sandbox.score(image).value == score


def test_same_picture_same_score(sandbox: Nfiq2Sandbox) -> None:
    """Each is scored by a new process; a finer scan of it is scored at 500 ppi."""
    first = sandbox.score(PRINT)
    assert first.value is not None
    assert 0 <= first.value <= 100
    assert sandbox.score(PRINT) == first
    finer = FingerprintImage(np.repeat(np.repeat(PRINT.pixels, 2, axis=0), 2, axis=1), 1000)
    assert sandbox.score(finer).value is not None


@pytest.mark.parametrize(
    ("pixels", "failure"),
    [
        (np.full((300, 300), 255, np.uint8), "blank"),
        (np.full((300, 300), 9, np.uint8), "blank"),
        (PRINT.pixels[140:250, 100:210], "too_small"),
        (np.tile(PRINT.pixels, (3, 3)), "too_large"),
    ],
    ids=["white", "black", "small", "large"],
)
def test_what_has_no_score_has_a_reason(sandbox: Nfiq2Sandbox, pixels: np.ndarray, failure: str) -> None:
    """Never a number for nothing."""
    assert sandbox.score(FingerprintImage(pixels, 500)) == Measure(ALGORITHM, None, failure)


def test_death_of_a_child_costs_one_score(sandbox: Nfiq2Sandbox) -> None:
    """The next picture is scored by the same worker."""
    expected = sandbox.score(PRINT)
    slot = sandbox._free.get()
    sandbox._free.put(slot)
    assert slot is not None
    worker = slot.result()
    assert worker.filtered
    with ThreadPoolExecutor(1) as thread:
        answer = thread.submit(sandbox.score, PRINT)
        assert eventually(lambda: bool(children_of(worker.pid)))
        os.kill(children_of(worker.pid)[0], signal.SIGSEGV)
        assert answer.result() == Measure(ALGORITHM, None, "stopped")
    assert sandbox.score(PRINT) == expected


def test_closed_sandbox_is_named() -> None:
    """An enrolment does not fail for want of a number."""
    pool = Nfiq2Sandbox(workers=1)
    pool.close()
    assert pool.score(PRINT).failure == "unavailable"


def test_score_is_kept_with_the_finger(sandbox: Nfiq2Sandbox) -> None:
    """Beside our own quality, which stays what it is."""
    capture = Capture(FingerPosition.RIGHT_INDEX, ImpressionType.LIVE_PLAIN, PRINT)
    with ExtractionPool(workers=1, nfiq2=sandbox) as pool:
        (finger,) = pool.extract([capture])
    with ExtractionPool(workers=1) as pool:
        (plain,) = pool.extract([capture])
    assert isinstance(finger, Finger)
    assert isinstance(plain, Finger)
    assert finger.quality.measures == (sandbox.score(PRINT),)
    assert plain.quality.measures == ()
    assert plain.quality.value == finger.quality.value
