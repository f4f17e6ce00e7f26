"""`tenprint population templates`, and the commands that read what it writes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command_line import Call, caller

from api.demo_register import enrol_folder, person_id_of
from api.exit_codes import DONE
from api.service import open_service
from api.settings import load_settings
from api.store import open_store
from enrollment.encounter import utc_now
from fixtures.template_folder import TemplateFolder, write_templates
from fixtures.templates import person
from matcher.codes import FingerPosition
from matcher.scoring import Score

SEED, PEOPLE = 3, 12
INDEX = FingerPosition.RIGHT_INDEX


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """The real entry point."""
    return caller(monkeypatch, capsys)


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of a dozen people with two captures each."""
    folder = tmp_path_factory.mktemp("crowd")
    write_templates(PEOPLE, 2, SEED, folder, processes=1)
    return folder


def test_the_command_writes_and_goes_on(call: Call, tmp_path: Path, crowd: Path) -> None:
    """The same folder as the function writes; a second call changes nothing; another seed is refused."""
    arguments = ("population", "templates", "--people", PEOPLE, "--captures", 2, "--out", tmp_path / "out")
    assert call(*arguments, "--seed", SEED).code == DONE
    written = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    assert written == {path.name: path.read_bytes() for path in crowd.iterdir()}
    assert call(*arguments, "--seed", SEED).code == DONE
    refused = call(*arguments, "--seed", SEED + 1)
    assert refused.code != DONE
    assert "other_population" in refused.err
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == written


def test_enrolled_people_are_found(call: Call, tmp_path: Path, crowd: Path) -> None:
    """Every capture becomes an encounter, once; a third capture of somebody finds both of theirs first."""
    data = tmp_path / "data"
    assert call("enroll", "--templates", crowd, "--data", data).code == DONE
    again = call("enroll", "--templates", crowd, "--data", data)
    assert f"0 encounters enrolled, {2 * PEOPLE} known" in again.err
    with open_service(load_settings(data=data)) as service:
        assert len(service.gallery) == 2 * PEOPLE
        probe = {INDEX: person(SEED, 7).capture(INDEX, 3)}
        answer = service.gallery.search(probe, limit=3, threshold=Score(30.0))
        found = [str(each.reference_id) for each in answer.candidates if each.score >= 30.0]
    assert sorted(found) == [f"{person_id_of(SEED, 7)}.{capture}" for capture in (1, 2)]


def test_an_interrupted_enrolment_goes_on(tmp_path: Path, crowd: Path) -> None:
    """What was stored before the interruption is not stored again."""
    folder = TemplateFolder.open(crowd)
    with open_store(load_settings(data=tmp_path)) as store:
        with pytest.raises(KeyboardInterrupt):
            enrol_folder(store, folder, at=utc_now(), progress=_interrupt)
        assert enrol_folder(store, folder, at=utc_now(), progress=lambda done, total: None) == 0
        with store.database.reading() as tx:
            assert store.records.count(tx) == 2 * PEOPLE


def test_templates_or_images_not_both(call: Call, crowd: Path, tmp_path: Path) -> None:
    """And a folder that is none is refused."""
    assert call("enroll", "--templates", crowd, "print.png", "--data", tmp_path).code != DONE
    refused = call("enroll", "--templates", tmp_path, "--data", tmp_path / "data")
    assert refused.code != DONE
    assert "no_templates" in refused.err


def test_benchmarks_read_the_folder(call: Call, crowd: Path, tmp_path: Path) -> None:
    """1:1 with every pair of a position, 1:N with everybody's second capture."""
    arguments = ("--templates", crowd, "--out", tmp_path)
    assert call("benchmark", "verification", *arguments).code == DONE
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    # Twelve people give ten positions in turn: two positions have two people.
    assert (report["n_mated"], report["n_nonmated"]) == (PEOPLE, 2)
    assert report["mated_mean"] > 60.0 > report["nonmated_mean"]
    assert call("benchmark", "identification", *arguments, "--fingers", 2).code == DONE
    report = json.loads((tmp_path / "identification.json").read_text(encoding="utf-8"))
    assert report["all"]["rank_1"] == 1.0
    assert report["all"]["searches"] == report["people"] == PEOPLE
    assert call("benchmark", "identification", *arguments, "--fingers", 3).code == 2
    both = ("--manifest", crowd / "shards.csv")
    assert call("benchmark", "verification", *arguments, *both).code == 2


def _interrupt(done: int, total: int) -> None:
    raise KeyboardInterrupt
