"""The registration desk: images of fingers and slaps in, quality, advice and the candidate list out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Header, Response
from pydantic import TypeAdapter

from api.captures import (
    Acquired,
    extract,
    fingers_of,
    images_of,
    other_hands,
    pictures_of,
    see,
    session_prints,
)
from api.chores import follow
from api.dependencies import Posted, Ready
from api.errors import InvalidRequest
from api.gate import may
from api.languages import accepted, in_language
from api.multipart import Form
from api.posts import captured_at, fingerprint_of, form_schema, uploads_from
from api.responses import refusals
from api.roles import Action, Principal
from enrollment.encounter import Encounter, check_identifier, new_id, utc_now
from workflow.desk_answer import DeskAnswer
from workflow.registration import Repeat, register

router = APIRouter(prefix="/desk", tags=["Desk"])

_FIELDS = {
    "person_id": "The person file this capture is claimed to belong to. Absent: a new file is opened.",
    "purpose": "Why the prints are taken, for instance `asylum` or `residence`. Default: `registration`.",
    "category": "EURODAC-style category (1, 2, 3…). Given: the encounter is queued for the export.",
    "captured_at": "When the prints were taken, as 2026-11-23T09:00:00Z. Default: now.",
}
_ANSWER: TypeAdapter[DeskAnswer] = TypeAdapter(DeskAnswer)
_MAX_KEY = 128


@router.post(
    "/encounters",
    summary="Enrol a person's prints and see who it may be",
    responses=refusals(409),
    openapi_extra=form_schema(_FIELDS),
)
def enroll(
    caller: Annotated[Principal, may(Action.DESK_ENROLL)],
    service: Ready,
    form: Posted,
    response: Response,
    afterwards: BackgroundTasks,
    accept_language: Annotated[
        str | None, Header(description="Language of the advice: `en`, `fr`, `nl` or `de`. Default: English.")
    ] = None,
    idempotency_key: Annotated[
        str | None, Header(description="Any text of yours, new for each enrolment; a repeat is done once.")
    ] = None,
) -> DeskAnswer:
    r"""Store one encounter of up to ten fingers and search it against everybody.

    Send each image under its finger's name (`right_thumb` … `left_little`, or the code 1-10; `unknown` or 0):

        curl -H "Authorization: Bearer KEY" -F right_index=@r2.png -F left_index=@l2.png -F ppi=500 \
             http://127.0.0.1:8000/desk/encounters

    The answer tells for each finger its quality, what is wrong with it and what to do, and who the person
    may be: candidates at or above the threshold are suggestions for an examiner, `standing` says what
    examiners decided. It is sent when everything is on disk. Send an `Idempotency-Key` and repeat the post
    as often as the network needs: it is stored once.
    """
    name, now, uploads = new_id(), utc_now(), uploads_from(form, _FIELDS)
    repeat, language = _repeat(caller, form, idempotency_key), accepted(accept_language)
    response.headers["Content-Language"] = language.value
    seen = see(service.engine, uploads)

    def acquire() -> tuple[Encounter, Sequence[Acquired]]:
        acquired = extract(service.engine, seen)
        return _encounter(name, form, acquired, now), acquired

    (encounter, acquired), kept = service.store.records.keep_beside(name, pictures_of(seen), acquire)
    answer = register(
        service.desk,
        encounter,
        kept,
        actor=caller.as_actor,
        at=now,
        new_id=new_id,
        session=session_prints(acquired),
        other_hands=other_hands(acquired),
        repeat=repeat,
    )
    afterwards.add_task(follow, service)
    return in_language(answer, language)


def _encounter(name: str, form: Form, acquired: Sequence[Acquired], now: datetime) -> Encounter:
    return Encounter(
        encounter_id=name,
        person_id=check_identifier(form.fields.get("person_id") or new_id(), "person_id"),
        captured_at=captured_at(form, now),
        purpose=form.fields.get("purpose") or "registration",
        category=form.fields.get("category") or None,
        fingers=fingers_of(acquired),
        images=images_of(acquired),
    )


def _repeat(caller: Principal, form: Form, key: str | None) -> Repeat | None:
    """Keys are the caller's own: two desks may use the same text."""
    if key is None:
        return None
    if not key or len(key) > _MAX_KEY:
        raise InvalidRequest(f"Idempotency-Key: 1 to {_MAX_KEY} characters.")
    return Repeat(
        key=f"{caller.prefix}:{key}",
        request_hash=fingerprint_of(form, "/desk/encounters"),
        encode=_ANSWER.dump_json,
        decode=_ANSWER.validate_json,
    )
