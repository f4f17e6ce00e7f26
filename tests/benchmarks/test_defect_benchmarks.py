"""The benchmark of defects counts what it says, and the script that tells up from down learns."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import train_upright
from benchmarks.defect_captures import cases
from benchmarks.defects import alarms, judge_captures, judge_impostors, recognised
from benchmarks.impostors import impostors
from enrollment import upright
from enrollment.capture import Defect, FailureToAcquire, Reason
from enrollment.network import MinutiaeNetwork
from matcher.codes import FingerPosition, ImpressionType


@pytest.fixture(scope="module")
def network() -> MinutiaeNetwork:
    """The real one."""
    return MinutiaeNetwork.load()


def test_each_defect_is_made(capsys: pytest.CaptureFixture[str], network: MinutiaeNetwork) -> None:
    """One finger: two clean captures, each defect once, the wrong resolution twice; all are counted."""
    made = [case.name for case in cases(1, seed=5)]
    assert made.count("clean") == 2
    assert made.count("wrong_resolution") == 2
    told = [defect for defect in Defect if defect is not Defect.FEW_MINUTIAE]
    assert set(made) == {"clean", *(defect.value for defect in told)}
    judge_captures(1, network, seed=5)
    lines = capsys.readouterr().out.splitlines()
    for defect in told:
        (line,) = (line for line in lines if line.startswith(f"  {defect.value} "))
        assert f"of     {made.count(defect.value)} " in line
    (clean,) = (line for line in lines if line.startswith("  any false alarm "))
    assert "of     2 " in clean


def test_impostors_are_counted_by_kind(capsys: pytest.CaptureFixture[str], network: MinutiaeNetwork) -> None:
    """The same seed makes the same pictures; none of this round is a finger."""
    first, second = (list(impostors(1, seed=4)) for _ in range(2))
    for (kind, pixels), (again, same) in zip(first, second, strict=True):
        assert kind == again
        np.testing.assert_array_equal(pixels, same)
    judge_impostors(1, network, seed=4)
    lines = capsys.readouterr().out.splitlines()[1:]
    assert [line.split("  ")[1] for line in lines] == [kind for kind, _ in first]
    assert all("0 of     1" in line for line in lines)


def test_refusal_counts_where_it_names_the_fault() -> None:
    """Too little of a finger is refused as too small, but not as dry."""
    refused = FailureToAcquire(FingerPosition.UNKNOWN, ImpressionType.LIVE_PLAIN, Reason.TOO_SMALL, "Told.")
    assert recognised(Defect.TOO_SMALL, refused)
    assert not recognised(Defect.TOO_DRY, refused)
    assert alarms(refused) == ("refused: too_small",)


def test_upright_training_learns() -> None:
    """A few fingers already tell up from down; the committed weights do so better, unseen."""
    places = train_upright.sample(train_upright.FIRST_PERSON, 6)
    np.testing.assert_array_equal(train_upright.mirrored(train_upright.mirrored(places)), places)
    weights = train_upright.fit(places)
    np.testing.assert_allclose(train_upright.mirrored(weights[None])[0], weights, atol=1e-9)
    unseen = train_upright.sample(train_upright.FIRST_PERSON + train_upright.FINGERS_SEEN, 4)
    right = [float(((unseen * each).sum(axis=(1, 2, 3)) > 0).mean()) for each in (weights, upright._WEIGHTS)]
    assert right[0] > 0.7
    assert right[1] >= right[0]
    assert right[1] > 0.9
