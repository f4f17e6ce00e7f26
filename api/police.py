"""Police: is it this person, or who is it. Never without authority, purpose, legal basis and file number."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter

from api.captures import acquire, probe_of
from api.dependencies import Posted, Ready
from api.gate import may
from api.multipart import Form
from api.posts import form_schema, uploads_from
from api.responses import refusals
from api.roles import Action, Principal
from enrollment.encounter import check_identifier, utc_now
from workflow import police
from workflow.legal_ground import LegalGround
from workflow.police_answer import Identification, Verification

router = APIRouter(prefix="/police", tags=["Police"])

_GROUND = {
    "authority": "The police unit that asks.",
    "purpose": "What the answer is needed for.",
    "legal_basis": "The article that allows the question.",
    "file_number": "The case the answer goes into.",
}
_PERSON = {"person_id": "The person file the person in front of you claims."}


@router.post(
    "/verify",
    summary="Is it the claimed person? (1:1)",
    responses=refusals(404),
    openapi_extra=form_schema(_PERSON | _GROUND, (*_PERSON, *_GROUND)),
)
def verify(
    caller: Annotated[Principal, may(Action.POLICE_VERIFY)],
    service: Ready,
    form: Posted,
) -> Verification:
    r"""Compare the images with everything stored of the claimed person and answer yes, no or cannot say.

        curl -H "Authorization: Bearer KEY" -F right_index=@print.png -F ppi=500 -F person_id=P1 \
             -F authority="PZ Brussels North" -F purpose="identity check" -F legal_basis="Art. 34 WPA" \
             -F file_number=BR-2026-17 http://127.0.0.1:8000/police/verify

    The answer holds no image, no name and no other person. The question is in the audit log before it leaves.
    """
    ground = _ground(form)
    person_id = check_identifier(form.fields.get("person_id", ""), "person_id")
    probe = probe_of(acquire(service.engine, uploads_from(form, (*_PERSON, *_GROUND))))
    return police.verify(service.police, person_id, probe, ground, actor=caller.as_actor, at=utc_now())


@router.post(
    "/identify",
    summary="Who is it? (1:N)",
    responses=refusals(),
    openapi_extra=form_schema(_GROUND, tuple(_GROUND)),
)
def identify(
    caller: Annotated[Principal, may(Action.POLICE_IDENTIFY)],
    service: Ready,
    form: Posted,
) -> Identification:
    """Search the images against everybody; the answer lists candidates at or above the threshold only.

    Give two or more fingers where you can: the more fingers, the surer the answer. A candidate is a
    suggestion; `standing` says whether an examiner confirmed it.
    """
    ground = _ground(form)
    probe = probe_of(acquire(service.engine, uploads_from(form, tuple(_GROUND))))
    return police.identify(service.police, probe, ground, actor=caller.as_actor, at=utc_now())


def _ground(form: Form) -> LegalGround:
    """Asked for before any image is looked at."""
    return LegalGround.of(**{name: form.fields.get(name) for name in _GROUND})
