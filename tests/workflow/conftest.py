"""What the office's tests share."""

from __future__ import annotations

import pytest
from office import Office, open_office

from enrollment.database import Database
from enrollment.records import Records


@pytest.fixture
def office(database: Database, records: Records) -> Office:
    """An office over an empty store."""
    return open_office(database, records)
