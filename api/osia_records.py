"""OSIA ABIS 1.6.0, encounters: create, read, delete. Addresses, names and bodies are the standard's."""

# ruff: noqa: FAST003 - the path parameters have their aliases in osia_parameters

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Response

from api import osia_mapping
from api.acts import log_act
from api.captures import acquire, fingers_of, images_of, other_hands, session_prints
from api.dependencies import Ready, Stored
from api.errors import InvalidRequest
from api.gate import may
from api.osia_parameters import ALGORITHM, TRANSACTION, EncounterId, PersonId, refuse_unserved
from api.osia_schemas import Encounter, ExtendablePersonIds
from api.recording import store_encounter
from api.responses import osia_refusals
from api.roles import Action, Principal
from api.service import Service
from api.store import Store
from enrollment import encounter as stored
from enrollment.audit_log import AuditEntry
from enrollment.encounter import EncounterStatus, new_id, utc_now
from enrollment.errors import UnknownRecord
from workflow import audit
from workflow.sequence import check_session

router = APIRouter(prefix="/v1/persons", tags=["CRUD"])

Writer = Annotated[Principal, may(Action.ENCOUNTER_WRITE)]
Reader = Annotated[Principal, may(Action.ENCOUNTER_READ)]


@router.post(
    "",
    operation_id="createEncounterNoIds",
    summary="Create one encounter and generate ID for both the person and the encounter",
    responses=osia_refusals(),
    response_model_exclude_none=True,
    dependencies=[TRANSACTION, ALGORITHM],
)
def create_encounter_no_ids(
    caller: Writer,
    service: Ready,
    body: Encounter,
) -> ExtendablePersonIds:
    """Open a person file with one encounter. `others.fingers` tells what became of each finger."""
    return _create(service, caller, body, new_id(), new_id())


@router.post(
    "/{personId}/encounters",
    operation_id="createEncounterNoId",
    summary="Create one encounter and generate its ID",
    responses=osia_refusals(),
    response_model_exclude_none=True,
    dependencies=[TRANSACTION, ALGORITHM],
)
def create_encounter_no_id(
    caller: Writer,
    service: Ready,
    person_id: PersonId,
    body: Encounter,
) -> ExtendablePersonIds:
    """Add an encounter to a person; a person who does not exist yet is created."""
    return _create(service, caller, body, person_id, new_id())


@router.post(
    "/{personId}/encounters/{encounterId}",
    operation_id="createEncounter",
    summary="Create one encounter",
    responses=osia_refusals(409),
    response_model_exclude_none=True,
    dependencies=[TRANSACTION, ALGORITHM],
)
def create_encounter(
    caller: Writer,
    service: Ready,
    person_id: PersonId,
    encounter_id: EncounterId,
    body: Encounter,
) -> ExtendablePersonIds:
    """Add an encounter under an id of your own; 409 when that id exists."""
    return _create(service, caller, body, person_id, encounter_id)


@router.get(
    "/{personId}/encounters",
    operation_id="readAllEncounters",
    summary="Read all encounters of one person",
    responses=osia_refusals(404),
    response_model_exclude_none=True,
    dependencies=[TRANSACTION],
)
def read_all_encounters(
    caller: Reader,
    store: Stored,
    person_id: PersonId,
) -> list[Encounter]:
    """Every encounter of the person, oldest first, with its images as received."""
    with store.database.reading() as tx:
        ids = store.records.encounter_ids_of(tx, person_id)
    found = [_read(store, person_id, encounter_id) for encounter_id in ids]
    log_act(
        store,
        caller,
        audit.Action.READ,
        {"person_id": person_id},
        returned=[encounter.encounterId or "" for encounter in found],
    )
    return found


@router.get(
    "/{personId}/encounters/{encounterId}",
    operation_id="readEncounter",
    summary="Read one encounter",
    responses=osia_refusals(404),
    response_model_exclude_none=True,
    dependencies=[TRANSACTION],
)
def read_encounter(
    caller: Reader,
    store: Stored,
    person_id: PersonId,
    encounter_id: EncounterId,
) -> Encounter:
    """One encounter with its images as received. The reading is in the audit log before it leaves."""
    found = _read(store, person_id, encounter_id)
    log_act(store, caller, audit.Action.READ, {"person_id": person_id}, returned=[encounter_id])
    return found


@router.delete(
    "/{personId}/encounters/{encounterId}",
    operation_id="deleteEncounter",
    summary="Delete one encounter",
    status_code=204,
    responses=osia_refusals(404, 409),
    dependencies=[TRANSACTION],
)
def delete_encounter(
    caller: Writer,
    service: Ready,
    person_id: PersonId,
    encounter_id: EncounterId,
) -> Response:
    """Erase an encounter with its images, templates and links; no later search returns it."""
    records = service.store.records
    with service.store.database.transaction() as tx:
        _check_owner(records.persons_of(tx, [encounter_id]).get(encounter_id), person_id, encounter_id)
        records.erase(tx, encounter_id, _proof(caller))
    service.follower.catch_up()
    return Response(status_code=204)


@router.delete(
    "/{personId}",
    operation_id="deleteAll",
    summary="Delete a person and all its encounters",
    status_code=204,
    responses=osia_refusals(404, 409),
    dependencies=[TRANSACTION],
)
def delete_all(
    caller: Writer,
    service: Ready,
    person_id: PersonId,
) -> Response:
    """Erase every encounter of a person, and the person."""
    with service.store.database.transaction() as tx:
        service.store.records.erase_person(tx, person_id, _proof(caller))
    service.follower.catch_up()
    return Response(status_code=204)


def _create(
    service: Service, caller: Principal, body: Encounter, person_id: str, encounter_id: str
) -> ExtendablePersonIds:
    """Images to fingers, then one transaction; OSIA leaves searching to `identify`."""
    refuse_unserved(body.encryption, body.integrity)
    if len(set(body.galleries)) != len(body.galleries):
        raise InvalidRequest("galleries: name each gallery once.")
    stored.check_identifier(person_id, "personId")
    stored.check_identifier(encounter_id, "encounterId")
    client_data = osia_mapping.client_data(body)
    acquired = acquire(service.engine, osia_mapping.uploads_of(body.biometricData, service.settings))
    now = utc_now()
    encounter = stored.Encounter(
        encounter_id=encounter_id,
        person_id=person_id,
        captured_at=osia_mapping.captured_at(body.biometricData, now),
        purpose="osia",
        galleries=tuple(body.galleries),
        status=EncounterStatus(body.status),
        encounter_type=body.encounterType,
        fingers=fingers_of(acquired),
        images=images_of(acquired),
        client_data=client_data,
        biographic=body.biographicData or {},
        contextual=body.contextualData or {},
    )
    store_encounter(service, encounter, acquired, actor=caller.as_actor, at=now)
    return ExtendablePersonIds(
        personId=person_id,
        encounterId=encounter_id,
        others={
            "fingers": osia_mapping.finger_report(acquired),
            "flags": [
                asdict(flag) for flag in check_session(session_prints(acquired), other_hands(acquired))
            ],
        },
    )


def _read(store: Store, person_id: str, encounter_id: str) -> Encounter:
    with store.database.reading() as tx:
        found = store.records.get(tx, encounter_id)
        _check_owner(found.person_id, person_id, encounter_id)
        images = {position: store.records.image(tx, encounter_id, position) for position in found.images}
    return osia_mapping.encounter_of(found, images)


def _check_owner(owner: str | None, person_id: str, encounter_id: str) -> None:
    if owner != person_id:
        raise UnknownRecord(f"The person {person_id} has no encounter {encounter_id}.")


def _proof(caller: Principal) -> AuditEntry:
    return AuditEntry(caller.actor, caller.role.value, audit.Action.ERASE, "done")
