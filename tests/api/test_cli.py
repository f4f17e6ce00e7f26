"""The command line: what it prints, what it refuses, how it ends."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import Call, caller
from PIL import Image
from running_service import KNOWN, OTHER, STRANGER, blank_picture, picture

from api.cli import COMMANDS
from api.exit_codes import CANNOT_WORK, DONE, INPUT_REFUSED, USAGE
from fixtures.named import child_probe
from fixtures.named import probe as probe_image

PAGE = Path(__file__).parents[2] / "docs" / "cli.md"


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Call:
    """The command line with a data folder of the test's own."""
    monkeypatch.setenv("TENPRINT_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "200")
    return caller(monkeypatch, capsys)


@pytest.fixture
def prints(tmp_path: Path) -> Path:
    """A folder as an office has it: two people, somebody's blank scan, a file that is no image."""
    folder = tmp_path / "prints"
    folder.mkdir()
    (folder / "anna_1.png").write_bytes(picture(KNOWN))
    (folder / "bert_1.png").write_bytes(picture(OTHER))
    (folder / "carl_1.png").write_bytes(blank_picture())
    (folder / "dora_1.png").write_bytes(b"not an image")
    (folder / "readme.txt").write_text("ignored")
    return folder


@pytest.fixture
def probe(tmp_path: Path) -> Path:
    """Another capture of anna's finger."""
    path = tmp_path / "probe.png"
    path.write_bytes(picture(KNOWN, 2))
    return path


def test_version_from_a_new_process() -> None:
    """The installed command starts and says what it is."""
    ended = subprocess.run(
        [Path(sys.executable).with_name("tenprint"), "--version"], capture_output=True, text=True, check=True
    )
    assert ended.stdout.startswith("tenprint ")


def test_overview_names_every_command(call: Call) -> None:
    """Without loading any of them."""
    overview = call("--help").out
    for name in COMMANDS:
        assert name in overview


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_teaches(call: Call, name: str) -> None:
    """Its help has a sentence and an example, and the page documents it."""
    called = call(name, "--help")
    assert called.code == DONE
    assert "tenprint" in called.out
    assert f"`tenprint {name}" in PAGE.read_text(encoding="utf-8")


def test_wrong_call_is_a_usage_error(call: Call) -> None:
    """Exit code 2, as everywhere."""
    assert call("nonesuch").code == USAGE
    assert call("verify", "one.png").code == USAGE


def test_key_is_the_last_line(call: Call) -> None:
    """`tail -1` takes it; the list does not show it."""
    made = call("keys", "create", "--role", "desk", "--name", "desk 3")
    key = made.out.splitlines()[-1]
    assert key.startswith("tp_")
    (listed,) = call("keys", "list", "--json").document
    assert (listed["role"], listed["name"], listed["state"]) == ("desk", "desk 3", "valid")
    assert call("keys", "revoke", listed["prefix"]).code == DONE
    assert call("keys", "list", "--json").document[0]["state"] == "revoked"


def test_unknown_role_is_a_usage_error(call: Call) -> None:
    """The roles are listed in the answer."""
    assert call("keys", "create", "--role", "boss").code == USAGE


def test_folder_is_enrolled_and_the_bad_files_are_reported(call: Call, prints: Path) -> None:
    """A line for each acknowledged encounter, the rest on standard error, exit code 1; again: all known."""
    first = call("enroll", prints, "--ppi", 500)
    assert first.code == INPUT_REFUSED
    assert [line.split()[:2] for line in first.out.splitlines()] == [
        ["enrolled", "anna"],
        ["enrolled", "bert"],
    ]
    assert "carl_1.png" in first.err
    assert "dora_1.png" in first.err
    assert "readme" not in first.err
    again = call("enroll", prints / "anna_1.png", prints / "bert_1.png", "--ppi", 500)
    assert again.code == DONE
    assert [line.split()[:2] for line in again.out.splitlines()] == [["known", "anna"], ["known", "bert"]]


def test_enrolled_person_is_identified(call: Call, prints: Path, probe: Path) -> None:
    """JSON: rank 1 with score and threshold, those below the threshold flagged."""
    call("enroll", prints / "anna_1.png", prints / "bert_1.png", "--ppi", 500)
    called = call("identify", probe, "--ppi", 500, "--json")
    assert called.code == DONE
    answer = called.document
    assert answer["candidates"][0]["person_id"] == "anna"
    assert answer["candidates"][0]["rank"] == 1
    assert answer["candidates"][0]["score"] >= answer["threshold"]
    assert [each["suggested"] for each in answer["candidates"]] == [True, False]
    assert answer["gallery_size"] == 2
    assert "anna" in call("identify", probe, "--ppi", 500).out


def test_several_images_are_several_searches(call: Call, prints: Path, probe: Path, tmp_path: Path) -> None:
    """A JSON list in the order given; what cannot be searched says why, exit code 1."""
    call("enroll", prints / "anna_1.png", "--ppi", 500)
    stranger = tmp_path / "stranger.png"
    stranger.write_bytes(picture(STRANGER))
    called = call(
        "identify", probe, stranger, prints / "dora_1.png", tmp_path / "gone.png", "--ppi", 500, "--json"
    )
    assert called.code == INPUT_REFUSED
    found, unknown, broken, missing = called.document
    assert found["candidates"][0]["suggested"]
    assert not any(each["suggested"] for each in unknown["candidates"])
    assert broken["error"]["code"] == "unsupported_format"
    assert missing["error"]["code"] == "unreadable_file"


def test_exit_code_option_tells_scripts(call: Call, prints: Path, tmp_path: Path) -> None:
    """With --exit-code nobody suggested is 1, as in grep."""
    call("enroll", prints / "anna_1.png", "--ppi", 500)
    stranger = tmp_path / "stranger.png"
    stranger.write_bytes(picture(STRANGER))
    assert call("identify", stranger, "--ppi", 500).code == DONE
    assert call("identify", stranger, "--ppi", 500, "--exit-code").code == INPUT_REFUSED


def test_positions_must_match_the_images(call: Call, probe: Path) -> None:
    """One position an image, or none."""
    called = call("identify", probe, probe, "--position", "right_index", "--ppi", 500)
    assert called.code == CANNOT_WORK
    assert "--position" in called.err


def test_manifest_makes_one_encounter_of_known_fingers(call: Call, prints: Path, tmp_path: Path) -> None:
    """Two fingers of one person together; a second capture of one of them is the next encounter."""
    (prints / "x.png").write_bytes(picture(KNOWN, 2))
    manifest = tmp_path / "people.csv"
    manifest.write_text(
        "path,person,position,impression,ppi\n"
        "prints/anna_1.png,P1,right_index,live_plain,500\n"
        "prints/bert_1.png,P1,7,0,\n"
        "prints/x.png,P1,2,,500\n"
    )
    called = call("enroll", "--manifest", manifest, "--json")
    assert called.code == DONE, called.err
    reports = [json.loads(line) for line in called.out.splitlines()]
    assert [(each["person_id"], each["fingers"]) for each in reports] == [("P1", 2), ("P1", 1)]


@pytest.mark.parametrize(
    "text", ["path\n", "path,person,position\nx.png,P1,eleventh\n", "path,person,ppi\nx.png,P1,high\n"]
)
def test_unusable_manifest_is_refused(call: Call, tmp_path: Path, text: str) -> None:
    """Before anything is enrolled."""
    manifest = tmp_path / "people.csv"
    manifest.write_text(text)
    assert call("enroll", "--manifest", manifest).code == CANNOT_WORK


def test_two_files_are_verified_without_a_store(call: Call, prints: Path, probe: Path) -> None:
    """Score, decision, threshold and its false match rate."""
    answer = call("verify", prints / "anna_1.png", probe, "--ppi", 500, "--json").document
    assert answer["decision"] == "match"
    assert answer["score"] >= answer["threshold"] == 40
    assert answer["fmr"] == pytest.approx(1e-4)
    other = call("verify", prints / "bert_1.png", probe, "--ppi", 500, "--json", "--exit-code")
    assert (other.code, other.document["decision"]) == (INPUT_REFUSED, "no_match")
    blank = call("verify", prints / "carl_1.png", probe, "--ppi", 500, "--json")
    assert (blank.code, blank.document["decision"]) == (INPUT_REFUSED, "failure_to_acquire")


def test_child_is_verified_across_growth(call: Call, tmp_path: Path) -> None:
    """At eight and grown up: one finger; the evidence is that of the enlarged print."""
    for name, image in (("child.png", child_probe()), ("adult.png", probe_image())):
        Image.fromarray(image.pixels).save(tmp_path / name, dpi=(500, 500))
    sides = (tmp_path / "child.png", tmp_path / "adult.png")
    plain, grown = (call("verify", *sides, "--json", *more).document for more in ((), ("--grown", "--why")))
    assert grown["decision"] == "match"
    assert 1.15 < grown["growth"] < 1.5
    assert grown["score"] > plain["score"]
    assert grown["why"]["score"] == pytest.approx(grown["score"] + 7.78, abs=0.01)
    told = call("verify", *sides, "--grown", "--why").out
    assert "enlarged" in told
    assert "score, 95 %" in told


def test_minutiae_are_shown(call: Call, probe: Path, prints: Path) -> None:
    """With coordinates, angle, kind and quality; a blank image says why there are none."""
    answer = call("extract", probe, "--json").document
    assert len(answer["minutiae"]) > 10
    assert set(answer["minutiae"][0]) == {"x", "y", "angle_deg", "kind", "quality"}
    assert answer["ppi"] == 500
    blank = call("extract", prints / "carl_1.png", "--json")
    assert (blank.code, blank.document["minutiae"]) == (INPUT_REFUSED, [])


def test_missing_resolution_says_how_to_give_it(call: Call, tmp_path: Path) -> None:
    """The sentence names the option."""
    data = picture(KNOWN, 2)
    start = data.index(b"pHYs") - 4
    path = tmp_path / "no_ppi.png"
    path.write_bytes(data[:start] + data[start + 21 :])
    called = call("extract", path)
    assert called.code == CANNOT_WORK
    assert "--ppi 500" in called.err


def test_link_is_decided_withdrawn_and_exported(
    call: Call, prints: Path, probe: Path, tmp_path: Path
) -> None:
    """The examiner's and the operator's day at the command line."""
    (tmp_path / "zoe_1.png").write_bytes(probe.read_bytes())
    call("enroll", prints / "anna_1.png", "--ppi", 500, "--category", "1")
    assert "may also be anna" in call("enroll", tmp_path / "zoe_1.png", "--ppi", 500).out
    (link,) = call("links", "--standing", "undecided", "--json").document
    decided = call(
        "decide", link["link_id"], "same", "--reason", "14 points", "--examiner", "A. Peeters", "--json"
    )
    assert decided.document["standing"] == "confirmed"
    assert call("decide", link["link_id"], "same", "--reason", "").code == CANNOT_WORK
    assert call("decide", link["link_id"], "--reason", "x").code == CANNOT_WORK
    withdrawn = call("decide", link["link_id"], "--withdraw", "--reason", "wrong finger", "--json")
    assert withdrawn.document["standing"] == "undecided"
    (batch,) = call("export", "eurodac", "--out", tmp_path / "batches", "--json").document
    assert len(batch["files"]) == 1
    assert call("export", "eurodac", "--out", tmp_path / "batches", "--json").document == []


def test_doctor_finds_a_healthy_store_and_a_damaged_one(call: Call, prints: Path, tmp_path: Path) -> None:
    """Every image is read back; one that changed is a fault."""
    call("enroll", prints / "anna_1.png", "--ppi", 500)
    healthy = call("doctor", "--json")
    assert healthy.code == DONE
    assert {finding["state"] for finding in healthy.document["findings"]} <= {"ok", "warning"}
    (image,) = (path for path in (tmp_path / "data" / "blobs").glob("??/*"))
    image.write_bytes(b"changed")
    damaged = call("doctor", "--json")
    assert damaged.code == CANNOT_WORK
    assert "picture" in str(damaged.document["findings"])


def test_store_that_cannot_be_opened_is_one_line(call: Call, tmp_path: Path) -> None:
    """No traceback."""
    place = tmp_path / "a_file"
    place.write_text("not a folder")
    called = call("keys", "list", "--data", place)
    assert called.code == CANNOT_WORK
    assert called.err.count("\n") == 1


def test_nothing_to_enroll_is_refused(call: Call, tmp_path: Path) -> None:
    """An empty folder is most often a typing error."""
    assert call("enroll", tmp_path).code == CANNOT_WORK


def test_synthetic_register_is_searchable(call: Call, prints: Path, probe: Path) -> None:
    """Template-only people fill a gallery in seconds."""
    assert call("population", "register", "--people", 20).code == DONE
    call("enroll", prints / "anna_1.png", "--ppi", 500)
    answer = call("identify", probe, "--ppi", 500, "--json").document
    assert answer["gallery_size"] == 21
    assert answer["candidates"][0]["person_id"] == "anna"


def test_encryption_is_shown_and_rotated(call: Call, prints: Path) -> None:
    """Everything enrolled is sealed; after a rotation it is under another key and still found."""
    assert call("enroll", prints / "anna_1.png").code == DONE
    before = call("encryption", "status", "--json").document
    assert (before["sealed"], before["unsealed"], before["superseded"]) == (1, 0, [])
    assert "1 data keys wrapped anew" in call("encryption", "rotate").out
    after = call("encryption", "status", "--json").document
    assert after["sealed"] == 1
    assert not before["keys"].keys() & after["keys"].keys()
    assert "1 encounters sealed, 0 stored before" in call("encryption", "status").out
    assert "0 encounters sealed" in call("encryption", "seal").out
    states = {each["check"]: each["state"] for each in call("doctor", "--json").document["findings"]}
    assert states["store"] == states["audit log"] == "ok"
