"""Capture sessions at the desk: an attempt goes in, and whether to accept it or capture again comes out.

Nothing is stored but the audit row: the desk sends what it was told of earlier attempts along with the next.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Response
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from api.acts import log_act
from api.captures import acquire, fingers_of, other_hands, session_prints
from api.dependencies import Posted, Ready
from api.errors import InvalidRequest
from api.gate import may
from api.languages import accepted, told_in
from api.multipart import Form
from api.posts import form_schema, uploads_from
from api.responses import refusals
from api.roles import Action, Principal
from enrollment.capture import Finger
from matcher.codes import FingerPosition
from workflow import audit
from workflow.capture_session import Attempt, CaptureKind, Verdict, attempt_of, judge, session_value
from workflow.desk_answer import FingerOutcome, finger_outcomes
from workflow.sequence import SequenceFlag, check_session
from workflow.sequence_advice import flag_in

router = APIRouter(prefix="/desk", tags=["Desk"])

_FIELDS = {
    "kind": "What the capture is for: `plain_enrol`, `plain_control` (control or search) or `rolled`.",
    "earlier": "JSON list of the `attempt` of each earlier answer of this session. Default: none.",
    "reason": "Why the operator takes the best attempt as it is; it is logged. Default: none.",
}
_EARLIER: TypeAdapter[list[dict[int, int | None]]] = TypeAdapter(list[dict[int, int | None]])
_WORST, _BEST = 0, 100


class SessionAnswer(BaseModel):
    """What became of an attempt, and the next step."""

    attempt: dict[int, int | None] = Field(
        description="Position → quality, null for a failure to acquire; send it as `earlier` with the next."
    )
    algorithms: list[str] = Field(description="What the values are of: NFIQ 2 where the service computes it.")
    verdict: Verdict
    fingers: tuple[FingerOutcome, ...]
    flags: tuple[SequenceFlag, ...] = Field(description="Prints whose names do not fit each other.")


@router.post(
    "/attempts",
    summary="Judge an attempt of a capture session; nothing is stored",
    responses=refusals(),
    openapi_extra=form_schema(_FIELDS, ["kind"]),
)
def judge_attempt(
    caller: Annotated[Principal, may(Action.DESK_ENROLL)],
    service: Ready,
    form: Posted,
    response: Response,
    accept_language: Annotated[str | None, Header(description="Language of the advice.")] = None,
) -> SessionAnswer:
    """Say of images whether they are good enough, or to be captured again, up to three times.

    `verdict.step` is `accept`, `retake`, `best_of_attempts` (the third was not good enough either) or
    `override`; `verdict.attempt` is the number of the attempt to send to `/desk/encounters`.
    """
    kind, earlier = _kind(form), _earlier(form)
    uploads = uploads_from(form, _FIELDS)
    acquired = acquire(service.engine, uploads)
    fingers = fingers_of(acquired)
    reason = form.fields.get("reason", "").strip()
    attempt = attempt_of(fingers.values())
    verdict = judge(kind, [*earlier, attempt], reason=reason)
    flags = check_session(session_prints(acquired), other_hands(acquired))
    asked = {
        "kind": kind.value,
        "attempts": [_plain(each) for each in (*earlier, attempt)],
        "use": verdict.attempt,
        "reason": reason,
        "flags": [(flag.code.value, flag.fingers) for flag in flags],
    }
    log_act(service.store, caller, audit.Action.CAPTURE, asked, outcome=verdict.step.value)
    language = accepted(accept_language)
    response.headers["Content-Language"] = language.value
    found = [each for each in fingers.values() if isinstance(each, Finger)]
    return SessionAnswer(
        attempt=_plain(attempt),
        algorithms=sorted({session_value(finger.quality)[1] for finger in found}),
        verdict=verdict,
        fingers=tuple(told_in(outcome, language) for outcome in finger_outcomes(fingers)),
        flags=tuple(flag_in(flag, language) for flag in flags),
    )


def _plain(attempt: Attempt) -> dict[int, int | None]:
    return {int(finger): value for finger, value in sorted(attempt.items())}


def _kind(form: Form) -> CaptureKind:
    try:
        return CaptureKind(form.fields.get("kind", ""))
    except ValueError as error:
        raise InvalidRequest(f"kind: one of {', '.join(CaptureKind)}.") from error


def _earlier(form: Form) -> list[Attempt]:
    """The attempts before, as they were told; values of fingers, nothing else."""
    try:
        told = _EARLIER.validate_json(form.fields.get("earlier") or "[]")
        attempts = [{FingerPosition(finger): value for finger, value in each.items()} for each in told]
    except (ValidationError, ValueError) as error:
        raise InvalidRequest("earlier: a JSON list of the `attempt` of each earlier answer.") from error
    values = [value for attempt in attempts for value in attempt.values() if value is not None]
    if any(not _WORST <= value <= _BEST for value in values):
        raise InvalidRequest(f"earlier: quality is {_WORST} to {_BEST}, or null.")
    return list(attempts)
