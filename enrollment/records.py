"""Encounters: append, read, erase. The store is the truth; every index is a view of it."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from enrollment import audit_log, change_log
from enrollment.audit_log import AuditEntry
from enrollment.blobs import BlobStore
from enrollment.change_log import Change, Operation
from enrollment.database import Database, after_commit, insert_if_absent, order_changes
from enrollment.encounter import Encounter, EncounterStatus, StoredImage, check_identifier, utc_now
from enrollment.errors import ConflictingRecord, MalformedRecord, UnknownRecord
from enrollment.record_rows import (
    decode_template,
    encounter_row,
    encounters_from,
    finger_row,
    image_row,
    template_row,
)
from enrollment.tables import (
    encounter_galleries,
    encounters,
    fingers,
    images,
    persons,
    released_blobs,
    templates,
)
from matcher.codes import FingerPosition
from matcher.template import Tenprint

#: An orphaned blob may belong to an enrolment still under way; none takes a day.
ORPHAN_AGE_S = 24 * 3600
#: Ids in one `IN (…)`; SQLite's limit of variables is far above.
BATCH = 500

_NO_IMAGES: Mapping[FingerPosition, bytes] = MappingProxyType({})
_log = logging.getLogger(__name__)
