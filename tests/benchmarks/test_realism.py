"""Claims about what `benchmarks.realism` measures, and about what its classifier can and cannot know."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from benchmarks.datasets import Picture
from benchmarks.minutiae_record import minutiae_record
from benchmarks.realism import compared, one_finger, show
from benchmarks.realism_classifier import Textures, control, fit, pooled, unseen_scanner
from benchmarks.realism_measures import summary_of
from benchmarks.realism_plots import write_plots
from benchmarks.realism_texture import GROUPS, features_of, ridge_period_px
from fixtures.named import print_of
from fixtures.pictures import write_png
from fixtures.templates import template_probe
from matcher.codes import FingerPosition


def _grating(period_px: float) -> np.ndarray:
    x = np.arange(200.0)
    return np.tile(np.round(128 + 90 * np.sin(2 * np.pi * x / period_px)), (180, 1)).astype(np.uint8)


@pytest.mark.parametrize("period_px", [7.0, 9.0, 11.5])
def test_the_ridge_period_of_a_grating_is_its_own(period_px: float) -> None:
    """Within a quarter of a pixel."""
    assert ridge_period_px(_grating(period_px)) == pytest.approx(period_px, abs=0.25)


def test_features_are_shares_where_they_should_be() -> None:
    """Both histograms of binary patterns and the grey histogram add up to one each."""
    features = features_of(_grating(9.0))
    assert features.shape == (sum(GROUPS.values()),)
    assert np.isfinite(features).all()
    binary, greys = features[: GROUPS["local binary patterns"]], features[-GROUPS["grey histogram"] :]
    assert binary.sum() == pytest.approx(2.0)
    assert greys.sum() == pytest.approx(1.0)


def test_a_picture_smaller_than_a_patch_is_measured_too() -> None:
    """The patch is what there is."""
    assert np.isfinite(features_of(_grating(9.0)[:50, :40])).all()


def _set(seed: int, shift: float, owners: int = 20) -> Textures:
    rng = np.random.default_rng(seed)
    features = rng.normal(0.0, 1.0, (owners * 4, 6))
    features[:, 0] += shift
    return Textures(features, np.repeat(np.arange(owners), 4))


def test_a_clear_difference_is_learned() -> None:
    """Two clouds far apart are told apart; the weights of the rows count."""
    rows, labels = np.array([[0.0], [0.1], [5.0], [5.1]]), np.array([False, False, True, True])
    assert fit(rows, labels, np.ones(4)).says(np.array([[0.2], [4.9]])).tolist() == [False, True]


def test_what_does_not_differ_is_guessed() -> None:
    """Sets of one distribution: half right, whatever the protocol."""
    sets = {name: _set(seed, 0.0) for seed, name in enumerate("abcd")}
    found = unseen_scanner(_set(9, 0.0), sets)
    assert found["right"] == pytest.approx(0.5, abs=0.12)
    assert found["ci95"][0] < 0.5 < found["ci95"][1] + 0.05
    assert pooled(_set(9, 0.0), sets)["right"] == pytest.approx(0.5, abs=0.12)


def test_a_population_unlike_every_real_set_is_found_out() -> None:
    """What no scanner explains shows on the scanner that was left out."""
    sets = {name: _set(seed, 0.0) for seed, name in enumerate("abc")}
    found = unseen_scanner(_set(9, 8.0), sets)
    assert found["right"] > 0.95
    assert set(found["left_out"]) == set(sets)
    assert control(sets)["right"] == pytest.approx(0.5, abs=0.15)


def test_the_summary_counts_and_averages() -> None:
    """Means, the equal error rate, and how many pairs stand behind them."""
    found = summary_of(np.array([10.0, 20.0]), np.array([1.0, 2.0, 3.0]))
    assert (found["mated_mean"], found["non_mated_mean"], found["eer_all"]) == (15.0, 2.0, 0.0)
    assert (found["n_mated"], found["n_non_mated"]) == (2, 3)
    assert summary_of(np.array([]), np.array([1.0]))["eer_all"] is None


def test_one_finger_of_each_person_in_turn(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Person 0 gives position 1, person 1 position 2."""
    folder = tmp_path_factory.mktemp("none")
    pictures = [
        Picture("s", folder / "x.png", f"{person:06d}", position, "0", 500)
        for person in range(3)
        for position in range(1, 11)
    ]
    assert [(p.subject, p.position) for p in one_finger(pictures)] == [
        ("000000", 1),
        ("000001", 2),
        ("000002", 3),
    ]


def test_a_minutiae_record_has_the_layout_that_the_peer_reads() -> None:
    """26 bytes, then six for each minutia; the first is the surest."""
    template = template_probe()
    record = minutiae_record(template)
    assert record[:8] == b"FMR\0 20\0"
    assert struct.unpack(">I", record[8:12])[0] == len(record) == 26 + 6 * len(template)
    assert struct.unpack(">HH", record[14:18]) == (template.width_px, template.height_px)
    assert record[25] == len(template)
    best = int(np.argmax(template.quality))
    kind_x, y, angle, quality = struct.unpack(">HHBB", record[26:32])
    assert (kind_x >> 14, kind_x & 0x3FFF, y) == (template.kind[best], template.x[best], template.y[best])
    assert abs(angle * np.pi / 128 - float(template.angle[best])) % (2 * np.pi) < 0.03
    assert quality == template.quality[best]


@pytest.mark.slow
def test_the_whole_comparison_runs_on_pictures(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Two fingers, two captures, as the population and as real ones: alike, so that every ratio is one."""
    folder = tmp_path_factory.mktemp("realism")
    pictures = []
    for name in ("s", "a"):
        for person in (3, 4):
            for number in (1, 2):
                path = folder / f"{person}_{number}.png"
                write_png(path, print_of(person, FingerPosition.RIGHT_INDEX, number))
                pictures.append(Picture(name, path, str(person), 2, "0", 500))
    report, own, others = compared(pictures[:4], pictures[4:], [], show)
    assert {"minutiae", "area", "mated"} <= report["ratios"].keys()
    assert report["ratios"] == pytest.approx(dict.fromkeys(report["ratios"], 1.0))
    assert report["synthetic"]["raw_scores"]["n_mated"] == 2
    assert report["synthetic"]["raw_scores"]["n_non_mated"] == 4
    assert report["real"]["a"]["measures"]["minutiae"]["p50"] > 20
    assert "classifier" not in report
    write_plots(own, others, folder / "one.svg")
    write_plots(own, others, folder / "two.svg")
    assert (folder / "one.svg").read_bytes() == (folder / "two.svg").read_bytes()
    assert b"synthetic" in (folder / "one.svg").read_bytes()
