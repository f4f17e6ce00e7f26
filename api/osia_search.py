"""OSIA ABIS 1.6.0, searching: identify (1:N), verify (1:1), galleries. Scores are −10·log10(FMR)."""

# ruff: noqa: FAST003 - the path parameters have their aliases in osia_parameters

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Annotated

from fastapi import APIRouter

from api import osia_mapping
from api.acts import log_act
from api.captures import acquire, probe_of
from api.dependencies import Ready, Stored
from api.gate import may
from api.osia_filter import filter_of
from api.osia_parameters import (
    SEARCH_HINTS,
    TRANSACTION,
    GalleryId,
    MaxCandidates,
    PersonId,
    Threshold,
    refuse_unserved,
)
from api.osia_schemas import (
    BiometricData,
    Candidate,
    IdentifyRequest,
    ScoreDetail,
    VerifyAnswer,
    VerifyFromBioRequest,
    VerifyFromIdRequest,
)
from api.pairwise import compare_tenprints
from api.responses import osia_refusals
from api.roles import Action, Principal
from api.service import Service
from api.store import Store
from enrollment.errors import UnknownRecord
from matcher.candidates import Candidate as Reference
from matcher.candidates import CandidateList
from matcher.gallery import Filter
from matcher.scoring import Score
from matcher.template import Tenprint
from workflow import audit
from workflow.searching import PersonCandidate, by_person

router = APIRouter(prefix="/v1")

ALL = "ALL"


@router.post(
    "/identify/{galleryId}",
    operation_id="identify",
    summary="Biometric identification",
    tags=["Search"],
    responses=osia_refusals(404),
    response_model_exclude_none=True,
    dependencies=[TRANSACTION, SEARCH_HINTS],
)
def identify(
    caller: Annotated[Principal, may(Action.IDENTIFY)],
    service: Ready,
    gallery_id: GalleryId,
    body: IdentifyRequest,
    max_nb_cand: MaxCandidates = None,
    threshold: Threshold = None,
) -> list[Candidate]:
    """Search a gallery, or ALL of them; candidates at or above the threshold, best first, one a person.

    `others` says with which threshold, gallery size and state of the store the search was made.
    """
    refuse_unserved(body.encryption, body.integrity)
    limit = min(max_nb_cand or service.settings.candidate_limit, service.settings.candidate_limit)
    only = filter_of(body.filter, _filter_of(service.store, gallery_id))
    probe = _probe(service, body.biometricData)
    chosen = None if threshold is None else Score(threshold)
    found = service.searcher.search(probe, only=only, limit=limit, threshold=chosen)
    with service.store.database.reading() as tx:
        owners = service.store.records.persons_of(tx, [each.reference_id for each in found.candidates])
    persons = by_person(found, owners, limit=limit)
    asked = {"gallery": gallery_id, "threshold": float(found.threshold), **audit.probe_facts(probe)}
    asked |= {"filter": body.filter} if body.filter else {}
    returned = [person.person_id for person in persons]
    outcome = "candidates" if persons else "no_candidate"
    log_act(service.store, caller, audit.Action.SEARCH, asked, outcome=outcome, returned=returned)
    return [_candidate(person, found) for person in persons]


@router.post(
    "/verify/{galleryId}/{personId}",
    operation_id="verifyFromId",
    summary="Biometric verification",
    tags=["Search"],
    responses=osia_refusals(404),
    response_model_exclude_none=True,
    dependencies=[TRANSACTION, SEARCH_HINTS],
)
def verify_from_id(
    caller: Annotated[Principal, may(Action.VERIFY)],
    service: Ready,
    gallery_id: GalleryId,
    person_id: PersonId,
    body: VerifyFromIdRequest,
    threshold: Threshold = None,
) -> VerifyAnswer:
    """Compare images with every encounter of the person in the gallery; the best one decides."""
    refuse_unserved(body.encryption, body.integrity)
    within = _encounters_in(service.store, gallery_id, person_id)
    probe = _probe(service, body.biometricData)
    chosen = Score(service.settings.verification_threshold if threshold is None else threshold)
    found = service.searcher.search(probe, within=within, limit=len(within), threshold=chosen)
    compared = [candidate for candidate in found.candidates if candidate.fingers]
    return _answer(
        service.store, caller, {"person_id": person_id, "gallery": gallery_id}, probe, compared, chosen
    )


@router.post(
    "/verify",
    operation_id="verifyFromBio",
    summary="Biometric verification with two sets of data",
    tags=["Search"],
    responses=osia_refusals(),
    response_model_exclude_none=True,
    dependencies=[TRANSACTION, SEARCH_HINTS],
)
def verify_from_bio(
    caller: Annotated[Principal, may(Action.VERIFY)],
    service: Ready,
    body: VerifyFromBioRequest,
    threshold: Threshold = None,
) -> VerifyAnswer:
    """Compare two sets of images with each other; nothing is stored."""
    refuse_unserved(body.encryption, body.integrity)
    probe = _probe(service, body.biometricData1, "biometricData1")
    reference = _probe(service, body.biometricData2, "biometricData2")
    chosen = Score(service.settings.verification_threshold if threshold is None else threshold)
    best = compare_tenprints(probe, reference, chosen)
    return _answer(service.store, caller, {"both": "given"}, probe, [best] if best else [], chosen)


@router.get(
    "/galleries",
    operation_id="readGalleries",
    summary="Get the ID of all the galleries",
    tags=["Gallery"],
    responses=osia_refusals(),
    dependencies=[TRANSACTION],
)
def read_galleries(
    caller: Annotated[Principal, may(Action.GALLERY_READ)],
    store: Stored,
) -> list[str]:
    """Every gallery an encounter belongs to."""
    del caller  # names of galleries tell about nobody: no audit entry
    with store.database.reading() as tx:
        return sorted(store.records.galleries(tx))


def _probe(service: Service, data: Sequence[BiometricData], where: str = "biometricData") -> Tenprint:
    return probe_of(acquire(service.engine, osia_mapping.uploads_of(data, service.settings, where)))


def _filter_of(store: Store, gallery_id: str) -> Filter | None:
    """What narrows a search to a gallery; None stands for all."""
    if gallery_id == ALL:
        return None
    with store.database.reading() as tx:
        if gallery_id not in store.records.galleries(tx):
            raise UnknownRecord(f"There is no gallery {gallery_id}: GET /v1/galleries lists them.")
    return Filter(galleries=frozenset({gallery_id}))


def _members(store: Store, gallery_id: str) -> Collection[str] | None:
    """The encounters of a gallery; None stands for all."""
    if _filter_of(store, gallery_id) is None:
        return None
    with store.database.reading() as tx:
        return store.records.in_galleries(tx, [gallery_id])


def _encounters_in(store: Store, gallery_id: str, person_id: str) -> Collection[str]:
    members = _members(store, gallery_id)
    with store.database.reading() as tx:
        encounters = store.records.encounter_ids_of(tx, person_id)
    inside = encounters if members is None else [each for each in encounters if each in members]
    if not inside:
        raise UnknownRecord(f"The gallery {gallery_id} has no person {person_id}.")
    return inside


def _candidate(person: PersonCandidate, found: CandidateList) -> Candidate:
    return Candidate(
        personId=person.person_id,
        rank=person.rank,
        score=float(person.score),
        scores=[detail for entry in person.encounters for detail in _details(entry)],
        others={
            "threshold": float(found.threshold),
            "gallerySize": found.gallery_size,
            "asOf": found.as_of,
            "complete": found.complete,
        },
    )


def _details(entry: Reference) -> list[ScoreDetail]:
    """The encounter's fused score, then each finger's."""
    fused = ScoreDetail(score=float(entry.score), encounterId=entry.reference_id, biometricType="FINGER")
    return [
        fused,
        *(
            ScoreDetail(
                score=float(score),
                encounterId=entry.reference_id,
                biometricType="FINGER",
                biometricSubType=osia_mapping.position_name(position),
            )
            for position, score in sorted(entry.fingers.items())
        ),
    ]


def _answer(
    store: Store,
    caller: Principal,
    asked: Mapping[str, object],
    probe: Tenprint,
    compared: Sequence[Reference],
    threshold: Score,
) -> VerifyAnswer:
    """Nothing in common to compare is no match; the empty `scores` tells the difference."""
    decision = bool(compared) and compared[0].score >= threshold
    facts = {**asked, "threshold": float(threshold), **audit.probe_facts(probe)}
    outcome = "match" if decision else "no_match"
    log_act(store, caller, audit.Action.VERIFY, facts, outcome=outcome)
    return VerifyAnswer(
        decision=decision, scores=[detail for entry in compared for detail in _details(entry)]
    )
