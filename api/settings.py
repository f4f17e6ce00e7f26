"""Every setting of the service, in one place, each with what it means.

A setting comes from the command line, else from the environment (`TENPRINT_PORT=9000`), else it has its
default.
"""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from api.errors import InvalidSettings

PREFIX = "TENPRINT_"


class Settings(BaseSettings):
    """The effective settings; frozen, so that what `doctor` prints is what the service runs with."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    data: Path = Field(
        Path("tenprint-data"),
        description="Folder of the embedded store: database, image files, exports. One service owns it.",
    )
    database_url: str | None = Field(
        None,
        repr=False,
        description="Address of the database, for instance `postgresql://user@host/tenprint`. "
        "Unset: SQLite inside the data folder.",
    )
    keys: Path | None = Field(
        None,
        description="Folder of the keyring that opens the store. Default: `keys` in the data folder. Kept on "
        "another disk, a stolen data disk stays closed.",
    )
    key_file: Path | None = Field(
        None,
        description="File of the root key that opens the keyring (mode 0600). Default: systemd's credential "
        "`tenprint-root-key` where there is one, else `root.key` beside the keyring.",
    )
    pkcs11_module: Path | None = Field(
        None,
        description="Library of a hardware module (PKCS#11) that holds the root key, instead of a file. "
        "Needs the extra `hsm`; `tenprint encryption to-module` moves there.",
    )
    pkcs11_token: str = Field("tenprint", description="Label of the token that holds the root key.")
    pkcs11_key: str = Field("tenprint-root", description="Label of the root key on the token.")
    pkcs11_pin_file: Path | None = Field(
        None,
        description="File with the PIN of the token's user (mode 0600). Default: systemd's credential "
        "`tenprint-pkcs11-pin`.",
    )
    audit_sink: Path | None = Field(
        None,
        description="File to which every signed checkpoint of the audit log is appended; best on another "
        "machine.",
    )
    audit_checkpoint_seconds: float = Field(
        60.0, ge=1, le=86_400, description="How often the service signs a checkpoint of the audit log."
    )
    audit_timestamp_url: str | None = Field(
        None,
        description="Address of a time-stamp authority (RFC 3161): the service has the newest checkpoint of "
        "the audit log stamped there every hour. Needs `audit_timestamp_roots` and the extra `timestamps`.",
    )
    audit_timestamp_roots: Path | None = Field(
        None, description="PEM file with the root certificates of the time-stamp authorities believed."
    )
    retention: bool = Field(
        default=False,
        description="Whether the service itself erases what is due, every hour. Otherwise a daily "
        "timer calls `tenprint retention run`.",
    )
    host: str = Field(
        "127.0.0.1",
        description="Address the service listens on. For others than this machine use a TLS proxy.",
    )
    port: int = Field(
        8000, ge=0, le=65535, description="TCP port the service listens on; 0 takes a free one."
    )
    identification_fpir: float = Field(
        0.01,
        gt=0,
        lt=1,
        description="Share of searches for strangers that may suggest somebody. The identification threshold "
        "follows from it and from the size of the gallery at the moment of the search.",
    )
    identification_threshold: float | None = Field(
        None,
        ge=0,
        le=300,
        description="A fixed score (-10·log10 FMR) from which a searched candidate is suggested, instead of "
        "the one that follows from the FPIR.",
    )
    verification_threshold: float = Field(
        40.0,
        ge=0,
        le=300,
        description="Score from which a 1:1 comparison is a match: 40 is one false match in 10,000.",
    )
    sealed_prints: bool = Field(
        default=False,
        description="Whether the gallery keeps prints encrypted in the data folder and only their sketches "
        "in memory, a tenth of it: for galleries that memory is too small for.",
    )
    candidate_limit: int = Field(
        10, ge=1, le=100, description="Longest candidate list an answer carries, also when more is asked for."
    )
    max_image_bytes: int = Field(
        8_388_608, ge=1_000, le=100_000_000, description="Largest image file accepted; beyond it 413."
    )
    max_images: int = Field(
        14,
        ge=1,
        le=20,
        description="Most images in one desk or police post, and in one OSIA encounter: "
        "ten rolled fingers and four slaps.",
    )
    max_body_bytes: int = Field(
        40_000_000,
        ge=10_000,
        le=1_000_000_000,
        description="Largest request body accepted, counted while it streams; beyond it 413.",
    )
    max_body_seconds: float = Field(
        60.0, gt=0, le=3600, description="Longest time a request body may take to arrive; beyond it 408."
    )
    max_concurrent_requests: int = Field(
        32,
        ge=1,
        le=10_000,
        description="Requests served at once; beyond it 503 with Retry-After, against floods.",
    )
    max_requests_per_minute: int = Field(
        6_000,
        ge=0,
        description="Requests one API key may send in a minute; beyond it 429 with Retry-After. 0: no limit.",
    )
    max_refusals_per_minute: int = Field(
        300,
        ge=0,
        description="Requests without a valid key one address may send in a minute; beyond it 429 with "
        "Retry-After, against the guessing of keys. 0: no limit.",
    )
    decoder_workers: int = Field(
        2, ge=1, le=64, description="Sandboxed processes that decode images; each limited in memory and time."
    )
    extraction_workers: int = Field(
        default_factory=lambda: os.cpu_count() or 1,
        ge=1,
        le=64,
        description="Fingers extracted at the same time. Default: the number of cores.",
    )
    nfiq2: bool = Field(
        default=False,
        description="Whether every enrolled finger gets its NFIQ 2 score, stored beside our own quality.",
    )


def load_settings(**given: object) -> Settings:
    """Settings from the environment, overridden by every argument that is not None."""
    chosen = {name: value for name, value in given.items() if value is not None}
    try:
        return Settings(**chosen)  # type: ignore[arg-type]  # pydantic checks them one by one
    except ValidationError as refusal:
        faults = "; ".join(
            f"{PREFIX}{'_'.join(map(str, fault['loc'])).upper()}: {fault['msg']}"
            for fault in refusal.errors()
        )
        raise InvalidSettings(f"Correct these settings and start again: {faults}.") from refusal


def unknown_variables() -> tuple[str, ...]:
    """Environment variables that look like settings but are none: most often a typing error."""
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    return tuple(sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known))
