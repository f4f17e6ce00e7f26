"""The bodies of the OSIA ABIS interface 1.6.0, names and constraints as the standard has them.

Field names are OSIA's (camel case). Unknown members are refused, as the standard says, except where it allows
them.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

#: Ids as the store accepts them; OSIA says only "string".
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$")]
Text = Annotated[str, StringConstraints(max_length=4096)]
GalleryName = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class OsiaModel(BaseModel):
    """A closed OSIA object."""

    model_config = ConfigDict(extra="forbid")


class MissingType(OsiaModel):
    """A finger that could not be captured, and why."""

    biometricSubType: str | None = None  # noqa: N815 - OSIA's spelling, as everywhere in this file
    presence: Literal["BANDAGED", "AMPUTATED", "DAMAGED"] | None = None


class Encryption(OsiaModel):
    """Declared by OSIA 1.6; not served yet: a body that carries it is refused, never ignored."""

    type: Literal["JWE", "PKCS7"]
    scope: Text


class Integrity(OsiaModel):
    """Declared by OSIA 1.6; not served yet: a body that carries it is refused, never ignored."""

    id: Text | None = None
    type: Literal["NONE", "JWS", "PKCS7"] = "NONE"
    scope: Text
    alg: Text
    encrypted: bool = False
    followRef: bool = False  # noqa: N815
    hash: Text
    signature: str | None = None
    signatureRef: Text | None = None  # noqa: N815


class BiometricData(OsiaModel):
    """One image of one finger. `image` is base64; `resolution` is ppi.

    Raw pixels: `compression` NONE with `width`, `height`, `resolution` and `bitdepth` 8.
    """

    biometricType: Literal["FACE", "FINGER", "IRIS", "SIGNATURE", "UNKNOWN"]  # noqa: N815
    biometricSubType: str | None = Field(None, max_length=64, examples=["RIGHT_INDEX"])  # noqa: N815
    instance: Text | None = None
    encounterId: Text | None = None  # noqa: N815
    image: str | None = Field(None, description="Base64 of the image file, or of raw pixels.")
    imageRef: Text | None = None  # noqa: N815
    captureDate: datetime | None = None  # noqa: N815
    captureDevice: Text | None = None  # noqa: N815
    impressionType: str | None = Field(None, max_length=64, examples=["LIVE_SCAN_PLAIN"])  # noqa: N815
    width: int | None = Field(None, ge=1, le=65_535)
    height: int | None = Field(None, ge=1, le=65_535)
    bitdepth: int | None = Field(None, ge=1, le=64)
    mimeType: Text | None = None  # noqa: N815
    resolution: int | None = Field(None, ge=1, le=10_000, description="Pixels per inch.")
    compression: Literal["NONE", "WSQ", "JPEG", "JPEG2000", "PNG"] | None = None
    missing: list[MissingType] | None = None
    metadata: Text | None = None
    comment: Text | None = None
    template: str | None = None
    templateRef: Text | None = None  # noqa: N815
    templateFormat: Text | None = None  # noqa: N815
    quality: int | None = None
    qualityFormat: Text | None = None  # noqa: N815
    algorithm: Text | None = None
    vendor: Text | None = None
    encryption: Encryption | None = None
    integrity: list[Integrity] | None = None


class Encounter(OsiaModel):
    """One event with a person. `encounterId` in a body is ignored on creation: the address or we decide."""

    encounterId: Text | None = None  # noqa: N815
    status: Literal["ACTIVE", "INACTIVE"]
    encounterType: str = Field(max_length=64)  # noqa: N815
    createdDate: datetime | None = None  # noqa: N815
    updatedDate: datetime | None = None  # noqa: N815
    galleries: list[GalleryName] = Field(
        min_length=1, max_length=100, json_schema_extra={"uniqueItems": True}
    )
    clientData: str | None = None  # noqa: N815
    contextualData: dict[str, Any] | None = None  # noqa: N815
    biographicData: dict[str, Any] | None = None  # noqa: N815
    biometricData: list[BiometricData]  # noqa: N815
    encryption: Encryption | None = None
    integrity: list[Integrity] | None = None


class ExtendablePersonIds(OsiaModel):
    """What a creation answers: the ids, and in `others` what became of each finger."""

    personId: str  # noqa: N815
    encounterId: str  # noqa: N815
    others: dict[str, Any] | None = None


class ScoreDetail(OsiaModel):
    """One comparison score; scores are −10·log10(FMR)."""

    score: float
    encounterId: str | None = None  # noqa: N815
    galleries: list[str] | None = None
    biometricType: str | None = None  # noqa: N815
    biometricSubType: str | None = None  # noqa: N815
    instance: str | None = None
    others: dict[str, Any] | None = None


class Candidate(OsiaModel):
    """One person a search suggests."""

    personId: str  # noqa: N815
    rank: int
    score: float
    scores: list[ScoreDetail] | None = None
    others: dict[str, Any] | None = None


class IdentifyRequest(OsiaModel):
    """A 1:N search."""

    filter: dict[str, Any]
    biometricData: list[BiometricData]  # noqa: N815
    encryption: Encryption | None = None
    integrity: list[Integrity] | None = None


class VerifyFromIdRequest(OsiaModel):
    """A 1:1 comparison with what is stored of a person."""

    biometricData: list[BiometricData]  # noqa: N815
    encryption: Encryption | None = None
    integrity: list[Integrity] | None = None


class VerifyFromBioRequest(OsiaModel):
    """A 1:1 comparison of two sets of images; nothing is stored."""

    biometricData1: list[BiometricData]  # noqa: N815
    biometricData2: list[BiometricData]  # noqa: N815
    encryption: Encryption | None = None
    integrity: list[Integrity] | None = None


class VerifyAnswer(OsiaModel):
    """The decision at the threshold, and the scores behind it."""

    decision: bool
    scores: list[ScoreDetail]


class Error(OsiaModel):
    """OSIA's error; ours carries the members of problem+json besides."""

    code: int
    message: str
