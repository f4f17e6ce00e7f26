"""`tenprint identify`: who is it, among everybody enrolled."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from api.captures import acquire, parse_missing, parse_position, probe_of
from api.cli_common import AsJson, Data, Ppi, out, print_json, progress, remarks
from api.cli_images import ImageFile
from api.cli_user import operating_user
from api.errors import InvalidRequest
from api.exit_codes import INPUT_REFUSED
from api.service import Service, open_service
from api.settings import load_settings
from enrollment.encounter import utc_now
from matcher.candidates import CandidateList
from matcher.codes import FingerPosition
from matcher.errors import FingerprintError
from matcher.template import Tenprint
from workflow import audit
from workflow.searching import by_person

app = typer.Typer()


@app.command()
def identify(
    images: Annotated[list[Path], typer.Argument(metavar="IMAGE…", help="Image files.")],
    ppi: Ppi = None,
    position: Annotated[
        list[str] | None,
        typer.Option(
            "--position",
            metavar="FINGER",
            help="Finger or slap of each image, in order: 2 or right_index, 13.",
        ),
    ] = None,
    missing: Annotated[
        str,
        typer.Option(
            "--missing", metavar="FINGERS", help="Fingers that slaps do not show, for example 9,10."
        ),
    ] = "",
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, max=100, help="Longest candidate list.")
    ] = None,
    data: Data = None,
    *,
    as_json: AsJson = False,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="End with 1 when a probe has no suggested candidate.")
    ] = False,
) -> None:
    """Search prints against everybody enrolled; candidates come best first, with their score.

    Try:
        tenprint identify probe.png --ppi 500 --json
        tenprint identify r2.png l2.png --position right_index --position left_index --ppi 500
        tenprint identify slap.png --position plain_right_four --ppi 500

    One image: one answer. Several images without positions: each is searched for itself, and --json prints
    a list in the order given. With one --position per image they are one person's fingers and are searched
    together.

    Candidates below the threshold are listed too, `suggested` false: a list is never an identity, examiners
    decide.
    """
    probes = _probes(images, position or [], ppi, missing)
    settings = load_settings(data=data)
    answers = []
    with progress("loading the gallery") as loading, open_service(settings, loading) as service:
        for probe in probes:
            answers.append(_answer(service, probe, limit))
            if not as_json:
                _tell(probe, answers[-1])
    if as_json:
        print_json(answers[0] if len(probes) == 1 else answers)
    if any("error" in answer for answer in answers):
        sys.exit(INPUT_REFUSED)
    if exit_code and not all(any(each["suggested"] for each in answer["candidates"]) for answer in answers):
        sys.exit(INPUT_REFUSED)


def _probes(images: list[Path], positions: list[str], ppi: int | None, missing: str) -> list[list[ImageFile]]:
    """With positions one probe of several fingers, otherwise one probe an image."""
    if not positions:
        return [[ImageFile(path, person="", ppi=ppi)] for path in images]
    if len(positions) != len(images):
        raise InvalidRequest(
            f"{len(images)} images need as many --position, in the same order; {len(positions)} given."
        )
    pairs = zip(images, positions, strict=True)
    absent = parse_missing(missing)
    return [
        [
            ImageFile(path, person="", position=parse_position(text), ppi=ppi, missing=absent)
            for path, text in pairs
        ]
    ]


def _answer(service: Service, probe: list[ImageFile], limit: int | None) -> dict[str, Any]:
    """The search's answer, or what was wrong with the probe: the other probes go on."""
    names = [str(file.path) for file in probe]
    try:
        limit_bytes = service.settings.max_image_bytes
        uploads = [upload for file in probe for upload in file.uploads(limit_bytes)]
        return {"images": names, **_search(service, probe_of(acquire(service.engine, uploads)), limit)}
    except FingerprintError as refusal:
        return _failed(names, refusal.code, str(refusal))
    except OSError as fault:
        return _failed(names, "unreadable_file", f"The file cannot be read: {fault.strerror}.")


def _search(service: Service, probe: Tenprint, limit: int | None) -> dict[str, Any]:
    wanted = min(limit or service.settings.candidate_limit, 100)
    found = service.searcher.search(probe, limit=wanted)
    with service.store.database.transaction() as tx:
        owners = service.store.records.persons_of(tx, [each.reference_id for each in found.candidates])
        persons = by_person(found, owners, limit=wanted, near=True)
        suggested = [person.person_id for person in persons if person.score >= found.threshold]
        asked = {"threshold": float(found.threshold), **audit.probe_facts(probe)}
        audit.record(
            tx, operating_user(), audit.Action.SEARCH, "done", at=utc_now(), asked=asked, returned=suggested
        )
    return {
        "candidates": [
            {
                "person_id": person.person_id,
                "rank": person.rank,
                "score": round(float(person.score), 3),
                "suggested": person.score >= found.threshold,
                "encounter_id": person.encounters[0].reference_id,
                "fingers": {
                    FingerPosition(position).name.lower(): round(float(score), 3)
                    for position, score in person.encounters[0].fingers.items()
                },
            }
            for person in persons
        ],
        **_facts(found),
    }


def _facts(found: CandidateList) -> dict[str, Any]:
    return {
        "threshold": round(float(found.threshold), 3),
        "gallery_size": found.gallery_size,
        "as_of": found.as_of,
        "complete": found.complete,
    }


def _failed(names: list[str], code: str, detail: str) -> dict[str, Any]:
    return {"images": names, "candidates": [], "error": {"code": code, "detail": detail}}


def _tell(probe: list[ImageFile], answer: dict[str, Any]) -> None:
    names = ", ".join(file.path.name for file in probe)
    if "error" in answer:
        remarks.print(f"{names}: {answer['error']['detail']} [{answer['error']['code']}]", markup=False)
        return
    found = sum(1 for candidate in answer["candidates"] if candidate["suggested"])
    out.print(
        f"{names}: {found or 'no'} candidate{'' if found == 1 else 's'} at or above "
        f"{answer['threshold']:.1f} among {answer['gallery_size']} references",
        markup=False,
    )
    for candidate in answer["candidates"]:
        mark = "suggested" if candidate["suggested"] else "below"
        out.print(
            f"  {candidate['rank']:3}  {candidate['person_id']:24}  score {candidate['score']:7.1f}  {mark}",
            markup=False,
        )
