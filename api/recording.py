"""Storing an encounter without searching for it: what OSIA's creation means."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from api.captures import Acquired, pictures_of
from api.service import Service
from enrollment.capture import FailureToAcquire
from enrollment.encounter import Encounter
from enrollment.record_rows import prepared_as_stored
from workflow import audit
from workflow.audit import Actor
from workflow.errors import FailureToEnroll


def store_encounter(
    service: Service, encounter: Encounter, acquired: Sequence[Acquired], *, actor: Actor, at: datetime
) -> int:
    """One transaction: encounter, images, audit row. Gives the change-log sequence; found from now on.

    An encounter without any template could never be found: `FailureToEnroll`, which is logged and counted.
    """
    store = service.store
    pictures = pictures_of(acquired)
    asked = {"encounter_id": encounter.encounter_id, "person_id": encounter.person_id}
    if not encounter.tenprint:
        failures = [each.outcome for each in acquired if isinstance(each.outcome, FailureToAcquire)]
        reasons = {int(failure.position): failure.reason.value for failure in failures}
        with store.database.transaction() as tx:
            facts = {**asked, "failures": reasons}
            audit.record(tx, actor, audit.Action.REGISTER, "failure_to_enroll", at=at, asked=facts)
        told = " ".join(f"{failure.position.name.lower()}: {failure.advice}" for failure in failures)
        raise FailureToEnroll(f"No finger gave a template, nothing was stored. {told}")
    sealed = store.records.seal(encounter, pictures, prepared_as_stored(encounter.tenprint))
    with store.database.transaction() as tx:
        sequence = store.records.add(tx, encounter, sealed)
        audit.record(tx, actor, audit.Action.REGISTER, "stored", at=at, asked=asked)
    service.follower.catch_up()
    return sequence
