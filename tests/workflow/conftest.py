"""What the office's tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from export_support import PROFILE
from office import Office, open_office

from enrollment.database import Database
from enrollment.records import Records
from enrollment.sandbox import DecoderSandbox
from workflow.eurodac import Exporter


@pytest.fixture
def office(database: Database, records: Records) -> Office:
    """An office over an empty store."""
    return open_office(database, records)


@pytest.fixture(scope="session")
def sandbox() -> Iterator[DecoderSandbox]:
    """One decoder process for all tests of the export."""
    with DecoderSandbox(workers=1) as opened:
        yield opened


@pytest.fixture
def exporter(database: Database, records: Records, sandbox: DecoderSandbox) -> Exporter:
    """An exporter over the test's store."""
    return Exporter(database, records, sandbox, PROFILE)
