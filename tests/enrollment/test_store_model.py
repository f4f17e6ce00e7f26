"""Random histories of the store equal a model of it: a dictionary that cannot fail.

Short here; `make torture` runs the same machine for as many steps as asked for.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from stored_people import random_encounter, with_picture

from enrollment import audit_log, idempotency, resealing
from enrollment.audit_checkpoints import Signer, write_checkpoint
from enrollment.audit_verification import verify
from enrollment.blobs import BlobStore
from enrollment.database import Database
from enrollment.doctor import examine
from enrollment.encounter import EncounterStatus, utc_now
from enrollment.envelope import adopt_keyring
from enrollment.errors import ConflictingRecord, HeldRecord, UnknownRecord
from enrollment.keyring import Keyring
from enrollment.record_writer import Amendment
from enrollment.records import Records
from matcher.codes import FingerPosition
from workflow import retention
from workflow.audit import Actor

INDEX = FingerPosition.RIGHT_INDEX
ACTOR = Actor("model", "test")
SEEDS = st.integers(0, 6)
EXAMPLES = int(os.environ.get("TENPRINT_TORTURE_EXAMPLES", "4"))
STEPS = int(os.environ.get("TENPRINT_TORTURE_STEPS", "25"))
#: Where each history starts: a copy of an empty, migrated store; made once.
_EMPTY = Path(tempfile.gettempdir()) / f"tenprint-model-{os.getpid()}"


@dataclass(frozen=True)
class Modelled:
    """What the model knows of an encounter."""

    person_id: str
    name: str
    active: bool
    picture: bytes
    hold_id: str | None = None


class _Undone(Exception):  # noqa: N818 - no error: it rolls a transaction back
    pass


class StoreMachine(RuleBasedStateMachine):
    """Every rule does the same to store and model; the invariants compare them."""

    @initialize()
    def begin(self) -> None:
        """An empty store in a folder of its own."""
        if not _EMPTY.exists():
            Database.open(_EMPTY).close()
        self.folder = Path(tempfile.mkdtemp(prefix="tenprint-model-"))
        shutil.copytree(_EMPTY, self.folder, dirs_exist_ok=True)
        self.model: dict[str, Modelled] = {}
        self.answers: dict[str, bytes] = {}
        self.acts = 0
        self.last_sequence = 0
        self._open()

    def _open(self) -> None:
        self.keyring = Keyring.open(self.folder / "keys")
        self.database = Database.open(self.folder)
        with self.database.reading() as tx:
            adopt_keyring(tx, self.keyring)
        self.records = Records(self.database, BlobStore(self.folder / "blobs"), self.keyring)

    @rule()
    def reopen(self) -> None:
        """Close and open again, as a restart does."""
        self.database.close()
        self._open()
        self.records.sweep_released()

    @rule(seed=SEEDS, person=SEEDS, committed=st.booleans())
    def add(self, seed: int, person: int, committed: bool) -> None:  # noqa: FBT001 - hypothesis names it
        """Store an encounter, or roll the storing back; one that exists is refused."""
        encounter = random_encounter(seed, person_id=f"p-{person}", positions=(INDEX,))
        encounter = replace(encounter, biographic={"name": f"name {person}"})
        encounter, pictures = with_picture(encounter, b"picture %d %d" % (seed, self.acts))
        try:
            with self.database.transaction() as tx:
                self.records.add(tx, encounter, pictures)
                if not committed:
                    raise _Undone  # noqa: TRY301 - the roll-back is what is tried
        except ConflictingRecord:
            assert encounter.encounter_id in self.model
        except _Undone:
            assert encounter.encounter_id not in self.model
        else:
            assert encounter.encounter_id not in self.model
            modelled = Modelled(f"p-{person}", f"name {person}", active=True, picture=pictures[INDEX])
            self.model[encounter.encounter_id] = modelled

    @rule(seed=SEEDS)
    def erase(self, seed: int) -> None:
        """Erase an encounter; one under a hold stays."""
        key = f"e-{seed}"
        known = self.model.get(key)
        try:
            with self.database.transaction() as tx:
                self.records.erase(tx, key)
        except UnknownRecord:
            assert known is None
        except HeldRecord:
            assert known is not None
            assert known.hold_id is not None
        else:
            assert known is not None
            assert known.hold_id is None
            del self.model[key]
            self.acts += 1

    @precondition(lambda self: self.model)
    @rule(data=st.data(), active=st.booleans(), person=SEEDS, name=st.text(max_size=5))
    def amend(self, data: st.DataObject, active: bool, person: int, name: str) -> None:  # noqa: FBT001
        """Change status, person and name of an encounter."""
        key = data.draw(st.sampled_from(sorted(self.model)))
        status = EncounterStatus.ACTIVE if active else EncounterStatus.INACTIVE
        with self.database.transaction() as tx:
            amendment = Amendment(status=status, person_id=f"p-{person}", biographic={"name": name})
            self.records.amend(tx, key, amendment)
        self.model[key] = replace(self.model[key], active=active, person_id=f"p-{person}", name=name)

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def hold_or_lift(self, data: st.DataObject) -> None:
        """Place a hold where there is none, lift it where there is one."""
        key = data.draw(st.sampled_from(sorted(self.model)))
        hold_id = self.model[key].hold_id
        with self.database.transaction() as tx:
            if hold_id is None:
                hold_id = retention.hold(tx, key, "a reason", actor=ACTOR, at=utc_now())
            else:
                retention.lift(tx, hold_id, actor=ACTOR, at=utc_now())
                hold_id = None
        self.acts += 1
        self.model[key] = replace(self.model[key], hold_id=hold_id)

    @rule(number=SEEDS)
    def repeat(self, number: int) -> None:
        """The same request twice has one answer."""
        key = f"request-{number}"
        with self.database.transaction() as tx:
            before = idempotency.claim(tx, key, "hash")
            assert before == self.answers.get(key)
            if before is None:
                self.answers[key] = b"answer %d" % self.acts
                idempotency.remember(tx, key, self.answers[key])

    @rule()
    def rotate(self) -> None:
        """New keys for everything."""
        rotated = resealing.rotate(self.database, self.records, self.keyring, lambda _done, _total: None)
        assert rotated == len(self.model)

    @rule()
    def checkpoint(self) -> None:
        """Sign the audit log."""
        with self.database.transaction() as tx:
            write_checkpoint(tx, Signer(self.keyring.secret("audit-signing")), utc_now())

    @invariant()
    def store_equals_model(self) -> None:
        """Encounters, persons, names, pictures, searchable templates, order of changes."""
        with self.database.reading() as tx:
            assert self.records.encounter_ids(tx) == sorted(self.model)
            for key, expected in self.model.items():
                found = self.records.get(tx, key)
                assert (found.person_id, found.biographic) == (expected.person_id, {"name": expected.name})
                assert (found.status is EncounterStatus.ACTIVE) == expected.active
                assert self.records.image(tx, key, INDEX) == expected.picture
            persons = {expected.person_id for expected in self.model.values()}
            assert {f"p-{n}" for n in range(7) if self.records.person_exists(tx, f"p-{n}")} == persons
            searchable = {key for key, expected in self.model.items() if expected.active}
            assert self.records.tenprints(tx, list(self.model)).keys() == searchable
            assert set(self.records.searchable(tx)) == searchable
            assert audit_log.last_sequence(tx) == self.acts
            reached = self.records.last_sequence(tx)
            assert reached >= self.last_sequence
            self.last_sequence = reached

    def teardown(self) -> None:
        """At the end the store is whole, by every check there is, and only its pictures are on the disk."""
        if not hasattr(self, "folder"):
            return
        self.records.sweep_orphans(older_than=float("inf"))
        assert list(examine(self.database, self.records)) == []
        with self.database.reading() as tx:
            verifier = Signer(self.keyring.secret("audit-signing")).verifier
            assert self.database.audit is not None
            assert list(verify(tx, self.database.audit, verifier)) == []
        assert len(list(self.records.blobs.addresses())) == len(self.model)
        self.database.close()
        shutil.rmtree(self.folder)


StoreMachine.TestCase.settings = settings(
    max_examples=EXAMPLES, stateful_step_count=STEPS, deadline=None, suppress_health_check=list(HealthCheck)
)


@pytest.mark.slow
class TestStoreModel(StoreMachine.TestCase):  # type: ignore[name-defined,misc]
    """Random histories."""


@pytest.fixture(autouse=True, scope="module")
def _no_leftovers() -> object:
    yield
    shutil.rmtree(_EMPTY, ignore_errors=True)
