"""Every setting of the service, in one place, each with what it means.

A setting comes from the command line, then from the environment (`TENPRINT_PORT=9000`), then from its default.
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
    host: str = Field(
        "127.0.0.1", description="Address the service listens on. Put a TLS proxy in front of others."
    )
    port: int = Field(
        8000, ge=0, le=65535, description="TCP port the service listens on; 0 takes a free one."
    )
    identification_threshold: float = Field(
        60.0,
        ge=0,
        le=300,
        description="Score (-10·log10 FMR) from which a searched candidate is suggested. 60 is one false match "
        "in a million comparisons: in a gallery of 10,000 one search in a hundred suggests a stranger.",
    )
    verification_threshold: float = Field(
        40.0,
        ge=0,
        le=300,
        description="Score from which a 1:1 comparison is a match: 40 is one false match in 10,000.",
    )
    candidate_limit: int = Field(
        10, ge=1, le=100, description="Longest candidate list an answer carries, also when more is asked for."
    )
    page_limit: int = Field(
        100, ge=1, le=1000, description="Longest page of links, audit entries or queue entries."
    )
    max_image_bytes: int = Field(
        12_000_000, ge=1_000, le=100_000_000, description="Largest image file accepted; beyond it 413."
    )
    max_body_bytes: int = Field(
        64_000_000,
        ge=10_000,
        le=1_000_000_000,
        description="Largest request body accepted, counted while it streams.",
    )
    max_concurrent_requests: int = Field(
        64,
        ge=1,
        le=10_000,
        description="Connections served at once; beyond it 503, so that a flood cannot fill memory.",
    )
    decoder_workers: int = Field(
        2,
        ge=1,
        le=64,
        description="Sandboxed processes that decode images; each is limited in memory and time.",
    )
    extraction_workers: int = Field(
        default_factory=lambda: os.cpu_count() or 1,
        ge=1,
        le=64,
        description="Fingers extracted at the same time. Default: the number of cores.",
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
