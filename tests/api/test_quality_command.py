"""`tenprint quality`, `extract --explain` and the desk: what the operator is told, in four languages."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from command_line import Call, caller
from running_service import KNOWN, Running, blank_picture, picture

from api.exit_codes import DONE, INPUT_REFUSED
from api.explanation import draw
from api.languages import accepted
from api.roles import Role
from enrollment.advice import Language, advice
from enrollment.capture import Defect, FingerprintImage, Reason
from enrollment.nfiq2 import ALGORITHM
from enrollment.orientation import ridge_field
from enrollment.segmentation import gradients, segment
from enrollment.singular_points import singular_points
from fixtures.finger import master_finger
from fixtures.named import SEED, print_of
from fixtures.pictures import encode_png
from fixtures.rolled import rolled
from matcher.codes import FingerPosition


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """The command line, with lines as long as they are."""
    monkeypatch.setenv("COLUMNS", "200")
    return caller(monkeypatch, capsys)


def upside_down() -> bytes:
    """A good print on its head, as a PNG file."""
    pixels = print_of(KNOWN, FingerPosition.RIGHT_INDEX, 1).pixels
    return encode_png(FingerprintImage(np.ascontiguousarray(pixels[::-1, ::-1]), 500))


def test_quality_of_a_print(call: Call, tmp_path: Path) -> None:
    """NFIQ 2, minutiae, our number and what is wrong, with what to do."""
    path = tmp_path / "print.png"
    path.write_bytes(upside_down())
    called = call("quality", path, "--json", "--language", "nl")
    assert called.code == DONE
    answer = called.document
    assert 0 <= answer["nfiq2"] <= 100
    assert answer["nfiq2_algorithm"] == ALGORITHM
    assert answer["minutiae"] > 20
    assert answer["quality"] > 50
    expected = {"code": "upside_down", "advice": advice(Defect.UPSIDE_DOWN, Language.DUTCH)}
    assert expected in answer["defects"]
    told = call("quality", path).out
    assert advice(Defect.UPSIDE_DOWN) in told
    assert f"NFIQ 2    {answer['nfiq2']}" in told


def test_quality_of_nothing_has_names(call: Call, tmp_path: Path) -> None:
    """No number for a blank picture, neither NFIQ 2's nor ours."""
    path = tmp_path / "blank.png"
    path.write_bytes(blank_picture())
    called = call("quality", path, "--json", "--language", "de")
    assert called.code == INPUT_REFUSED
    answer = called.document
    assert (answer["nfiq2"], answer["nfiq2_failure"]) == (None, "blank")
    assert (answer["quality"], answer["failure"]) == (None, "no_fingerprint")
    assert answer["advice"] == advice(Reason.NO_FINGERPRINT, Language.GERMAN)


def test_explanation_is_a_picture(call: Call, tmp_path: Path) -> None:
    """Twice the print's size, in colours; of a blank page only its ground."""
    path, seen = tmp_path / "print.png", tmp_path / "seen.png"
    path.write_bytes(picture(KNOWN))
    assert call("extract", path, "--json", "--explain", seen).code == DONE
    drawn = cv2.imread(str(seen))
    assert drawn is not None
    height, width = print_of(KNOWN, FingerPosition.RIGHT_INDEX, 1).pixels.shape
    assert drawn.shape[1] == 2 * width
    assert drawn.shape[0] > 2 * height
    red = (drawn[..., 2] > 150) & (drawn[..., 1] < 90)
    assert red.sum() > 500
    path.write_bytes(blank_picture())
    assert call("extract", path, "--explain", seen).code == INPUT_REFUSED
    assert seen.stat().st_size > 0


def test_drawing_of_what_there_is() -> None:
    """The first stage alone is enough."""
    assert draw({"normalised": np.full((100, 120), 200, np.uint8)}).shape[1] == 240


def test_cores_and_deltas_are_where_they_were_made() -> None:
    """In a rolled print, within three cells."""
    right = wrong = 0
    for person in range(3, 6):
        made = rolled(master_finger(SEED, person, FingerPosition.RIGHT_MIDDLE), 1)
        steps = gradients(made.image.pixels)
        field = ridge_field(steps, segment(steps))
        found = singular_points(field)
        for point in made.master.anatomy.singularities:
            x, y = made.contact.to_picture(np.array([point.x]), np.array([point.y]))
            near = [
                each
                for each in found
                if each.is_core == (point.charge > 0) and np.hypot(each.x - x[0], each.y - y[0]) < 48
            ]
            right += bool(near)
            wrong += not near
    assert right >= 3 * wrong


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, Language.ENGLISH),
        ("", Language.ENGLISH),
        ("fr", Language.FRENCH),
        ("FR-be, nl;q=0.9", Language.FRENCH),
        ("nl;q=0.4, de;q=0.8, it", Language.GERMAN),
        ("it, es;q=0.5", Language.ENGLISH),
        ("*;q=0.9, nl;q=0.8", Language.ENGLISH),
        ("nl;q=2, de;q=x, fr;q=", Language.ENGLISH),
        ("fr;q=0, nl;q=0.001", Language.DUTCH),
        (";,;;q=1" * 500, Language.ENGLISH),
    ],
)
def test_language_is_the_best_accepted(header: str | None, language: Language) -> None:
    """By weight, then by order; what is no language of ours or no weight is passed over."""
    assert accepted(header) is language


def test_desk_tells_the_operator_in_his_language(running: Running) -> None:
    """Codes stay; sentences follow `Accept-Language`; a repeat may ask in another one."""
    post = {
        "files": {"right_index": ("a.png", upside_down()), "left_index": ("b.png", blank_picture())},
        "headers": {"Accept-Language": "fr-BE,fr;q=0.9,en;q=0.1", "Idempotency-Key": "operator-language"},
    }
    french = running.ask(Role.DESK, "POST", "/desk/encounters", **post)
    assert french.headers["Content-Language"] == "fr"
    good, blank = french.json()["fingers"]
    assert "upside_down" in good["defects"]
    assert advice(Defect.UPSIDE_DOWN, Language.FRENCH) in good["defect_advice"]
    assert blank["advice"] == advice(Reason.NO_FINGERPRINT, Language.FRENCH)
    post["headers"]["Accept-Language"] = "nl"
    dutch = running.ask(Role.DESK, "POST", "/desk/encounters", **post)
    assert dutch.json()["encounter_id"] == french.json()["encounter_id"]
    assert advice(Defect.UPSIDE_DOWN, Language.DUTCH) in dutch.json()["fingers"][0]["defect_advice"]
