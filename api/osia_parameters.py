"""The query parameters every OSIA operation has, declared once, with what this version makes of them."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Path, Query

from api.errors import NotOffered
from api.osia_schemas import Encryption, Integrity

_CALLBACK = (
    "Address for an asynchronous answer. Not offered by this version: a request that carries it is refused, "
    "leave it out to get the answer in the response."
)

TransactionId = Annotated[
    str, Query(alias="transactionId", min_length=1, max_length=256, description="The id of the transaction.")
]
PersonId = Annotated[str, Path(alias="personId", max_length=256, description="The id of the person.")]
EncounterId = Annotated[
    str, Path(alias="encounterId", max_length=256, description="The id of the encounter.")
]
GalleryId = Annotated[
    str,
    Path(alias="galleryId", max_length=256, description="The id of the gallery; ALL stands for every one."),
]


def _transaction(
    transaction_id: TransactionId,
    callback: Annotated[str | None, Query(description=_CALLBACK)] = None,
    priority: Annotated[
        int | None, Query(ge=0, le=9, description="Accepted; every request is served at once.")
    ] = None,
) -> str:
    if callback is not None:
        raise NotOffered(
            "callback: asynchronous answers are not offered yet; leave it out to be answered now."
        )
    del priority  # a queue with priorities comes with the larger galleries; until then nobody waits
    return transaction_id


def _algorithm(
    algorithm: Annotated[
        str | None, Query(max_length=256, description="A hint; there is one algorithm.")
    ] = None,
) -> None:
    del algorithm


def _search_hints(
    accuracy_level: Annotated[
        str | None, Query(alias="accuracyLevel", max_length=256, description="Accepted; always the highest.")
    ] = None,
    service_level: Annotated[
        int | None, Query(alias="serviceLevel", description="Accepted; every request is served at once.")
    ] = None,
) -> None:
    del accuracy_level, service_level


#: For `dependencies=`: the parameters that need no code in the route.
TRANSACTION = Depends(_transaction)
ALGORITHM = Depends(_algorithm)
SEARCH_HINTS = Depends(_search_hints)

Threshold = Annotated[
    float | None,
    Query(ge=0, le=1000, description="Score (−10·log10 FMR) to use instead of the service's own threshold."),
]
MaxCandidates = Annotated[
    int | None, Query(alias="maxNbCand", ge=1, le=10_000, description="Longest candidate list wanted.")
]


def refuse_unserved(encryption: Encryption | None, integrity: list[Integrity] | None) -> None:
    """Encrypted or signed bodies are refused, not read as if they were plain."""
    if encryption is not None or integrity:
        raise NotOffered("Encryption and integrity blocks are not offered yet; send plain data over TLS.")
