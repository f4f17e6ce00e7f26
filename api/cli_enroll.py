"""`tenprint enroll`: image files and folders into the store, resumable at any moment."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer

from api.captures import (
    Acquired,
    Upload,
    acquire,
    fingers_of,
    images_of,
    other_hands,
    pictures_of,
    session_prints,
)
from api.cli_common import AsJson, Data, Ppi, out, print_json, progress, remarks
from api.cli_images import Group, content_id, from_manifest, from_paths, grouped
from api.cli_templates import enrol_templates
from api.cli_user import operating_user
from api.errors import InvalidRequest
from api.exit_codes import INPUT_REFUSED
from api.service import Service, open_service
from api.settings import load_settings
from enrollment.encounter import Encounter, check_identifier, new_id, utc_now
from matcher.errors import FingerprintError
from workflow.desk_answer import DeskAnswer
from workflow.registration import register

app = typer.Typer()


@dataclass(frozen=True, slots=True)
class Prepared:
    """A group whose images are fingers now, or that the store holds already (`acquired` is empty)."""

    group: Group
    encounter_id: str
    acquired: tuple[Acquired, ...]


@app.command()
def enroll(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="PATH…", help="Images, ANSI/NIST-ITL files, folders to search."),
    ] = None,
    manifest: Annotated[
        Path | None,
        typer.Option(
            "--manifest",
            metavar="CSV",
            help="Columns path, person, position, impression, ppi, capture, missing.",
        ),
    ] = None,
    templates: Annotated[
        Path | None,
        typer.Option("--templates", metavar="DIR", help="Folder of `tenprint population templates`."),
    ] = None,
    ppi: Ppi = None,
    purpose: Annotated[str, typer.Option("--purpose", help="Why the prints were taken.")] = "enrollment",
    category: Annotated[
        str | None,
        typer.Option("--category", help="EURODAC-style category; queues the encounters for export."),
    ] = None,
    data: Data = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Enrol images; each line printed is an encounter that is safely on disk and found from now on.

    Try:
        tenprint enroll prints/ --ppi 500
        tenprint enroll --manifest people.csv

    A person's id is the file name up to the first `_`: `P17_left.png` and `P17_2.wsq` belong to P17. A
    manifest says more: known fingers of a person (of one `capture`) become one encounter; without positions
    each image is one. An ANSI/NIST-ITL file is one encounter: its fingers, rolled before plain, its slaps.

    Slaps (positions 11-15) are cut up. Where a finger is there twice, its own image counts, and the two are
    compared: prints whose names do not fit each other are told in lines that begin with `check`.

    Interrupted? Call it again: what is stored is recognised by its content and skipped. A file that cannot
    be used is reported and the rest goes on; then the exit code is 1.

    Synthetic people of a folder of --templates are stored without a search: they are known to be different.
    """
    if templates is not None:
        if paths or manifest:
            raise InvalidRequest("Name either --templates or images, not both.")
        enrol_templates(templates, data)
        return
    files = from_manifest(manifest, ppi) if manifest else from_paths(paths or [], ppi)
    if not files:
        raise InvalidRequest("No image was found: name files, folders or a --manifest.")
    counts: Counter[str] = Counter()
    settings = load_settings(data=data)
    with progress("loading the gallery") as loading, open_service(settings, loading) as service:
        groups = grouped(files)
        with progress("enrolling") as advance:
            for done, (group, outcome) in enumerate(_prepared(service, groups), start=1):
                report = _store(service, group, outcome, purpose, category)
                counts[report["status"]] += 1
                _tell(report, as_json=as_json)
                advance(done, len(groups))
    remarks.print(
        f"{counts['enrolled']} encounters enrolled, {counts['known']} known before, "
        f"{counts['refused']} refused"
    )
    if counts["refused"]:
        sys.exit(INPUT_REFUSED)


def _prepared(
    service: Service, groups: Sequence[Group]
) -> Iterator[tuple[Group, Prepared | FingerprintError]]:
    """Read, decode and extract ahead of the store, several groups at a time, and give them back in order."""
    width = service.settings.extraction_workers
    with ThreadPoolExecutor(width, "prepare") as pool:
        remaining = iter(groups)
        waiting = [(group, pool.submit(_prepare, service, group)) for group in islice(remaining, 2 * width)]
        while waiting:
            group, future = waiting.pop(0)
            yield group, _outcome(future)
            waiting += [(each, pool.submit(_prepare, service, each)) for each in islice(remaining, 1)]


def _outcome(future: Future[Prepared]) -> Prepared | FingerprintError:
    """What a group became; a refusal is a result here, since the other groups go on."""
    try:
        return future.result()
    except FingerprintError as refusal:
        return refusal
    except OSError as fault:
        return InvalidRequest(f"The file cannot be read: {fault.strerror}.")


def _prepare(service: Service, group: Group) -> Prepared:
    check_identifier(group.person, f"person id `{group.person}`")
    limit = service.settings.max_image_bytes
    uploads: list[Upload] = [upload for file in group.files for upload in file.uploads(limit)]
    encounter_id = content_id(group.person, uploads)
    with service.store.database.reading() as tx:
        if service.store.records.exists(tx, encounter_id):
            return Prepared(group, encounter_id, ())
    return Prepared(group, encounter_id, acquire(service.engine, uploads))


def _store(
    service: Service,
    group: Group,
    outcome: Prepared | FingerprintError,
    purpose: str,
    category: str | None,
) -> dict[str, Any]:
    report: dict[str, Any] = {"person_id": group.person, "files": [str(file.path) for file in group.files]}
    if isinstance(outcome, FingerprintError):
        return {"status": "refused", **report, "code": outcome.code, "detail": str(outcome)}
    if not outcome.acquired:
        return {"status": "known", **report, "encounter_id": outcome.encounter_id}
    try:
        answer = _register(service, outcome, purpose, category)
    except FingerprintError as refusal:
        return {"status": "refused", **report, "code": refusal.code, "detail": str(refusal)}
    return {
        "status": "enrolled",
        **report,
        "encounter_id": answer.encounter_id,
        "fingers": len([finger for finger in answer.fingers if finger.failure is None]),
        "failures": [finger.failure for finger in answer.fingers if finger.failure],
        "quality": [finger.quality for finger in answer.fingers if finger.quality is not None],
        "flags": [
            {"code": flag.code.value, "fingers": list(flag.fingers), "advice": flag.advice}
            for flag in answer.flags
        ],
        "suggested": [
            candidate.person_id
            for candidate in answer.candidates
            if candidate.suggested and candidate.person_id != group.person
        ],
    }


def _register(service: Service, prepared: Prepared, purpose: str, category: str | None) -> DeskAnswer:
    now = utc_now()
    encounter = Encounter(
        encounter_id=prepared.encounter_id,
        person_id=prepared.group.person,
        captured_at=now,
        purpose=purpose,
        category=category,
        fingers=fingers_of(prepared.acquired),
        images=images_of(prepared.acquired),
    )
    kept = service.store.records.keep_pictures(encounter.encounter_id, pictures_of(prepared.acquired))
    return register(
        service.desk,
        encounter,
        kept,
        actor=operating_user(),
        at=now,
        new_id=new_id,
        session=session_prints(prepared.acquired),
        other_hands=other_hands(prepared.acquired),
    )


def _tell(report: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(report)
        return
    names = ", ".join(Path(name).name for name in report["files"])
    if report["status"] == "refused":
        remarks.print(
            f"refused   {report['person_id']}  {names}: {report['detail']} [{report['code']}]", markup=False
        )
        return
    if report["status"] == "known":
        out.print(f"known     {report['person_id']}  {report['encounter_id']}  {names}", markup=False)
        return
    quality = "/".join(str(value) for value in report["quality"])
    who = f"{report['person_id']}  {report['encounter_id']}"
    line = f"enrolled  {who}  fingers {report['fingers']}, quality {quality}"
    if report["failures"]:
        line += f", failed {', '.join(report['failures'])}"
    if report["suggested"]:
        line += f", may also be {', '.join(report['suggested'])}"
    out.print(line, markup=False)
    for flag in report["flags"]:
        remarks.print(f"check     {report['person_id']}  {flag['advice']} [{flag['code']}]", markup=False)
