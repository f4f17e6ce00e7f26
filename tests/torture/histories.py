"""Long random histories of the store against a model that cannot fail, many steps a second.

A history is a series of transactions of one to twenty steps, most committed, some rolled back, with restarts,
key rotations and audit checkpoints between. Every step's outcome is compared with the model's; after every
transaction the ids, the change log and the length of the audit log; now and then, and at the end, everything.
`tests/enrollment/test_store_model.py` is the same idea with hypothesis, which shrinks what it finds.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from sqlalchemy import Connection
from stored_people import random_encounter, with_picture

from enrollment import audit_log, idempotency, resealing
from enrollment.audit_checkpoints import Signer, write_checkpoint
from enrollment.audit_verification import verify
from enrollment.blobs import BlobStore
from enrollment.change_log import Operation
from enrollment.database import Database
from enrollment.doctor import examine
from enrollment.encounter import EncounterStatus, utc_now
from enrollment.envelope import adopt_keyring
from enrollment.errors import ConflictingRecord, FingerprintError, HeldRecord, UnknownRecord
from enrollment.keyring import Keyring
from enrollment.record_writer import Amendment
from enrollment.records import Records
from matcher.codes import FingerPosition
from workflow import retention
from workflow.audit import Actor

INDEX = FingerPosition.RIGHT_INDEX
ACTOR = Actor("model", "test")
#: Encounters and persons there can be: few, so that histories meet the same ones again.
NAMES = 12
#: One transaction in so many is rolled back; after one in so many everything is compared.
ROLLED_BACK, COMPARED = 7, 20


@dataclass(frozen=True, slots=True)
class Modelled:
    """What the model knows of an encounter."""

    person_id: str
    name: str
    picture: bytes
    active: bool = True
    hold_id: str | None = None

    @property
    def operation(self) -> Operation:
        """What the gallery is told of it."""
        return Operation.ADD if self.active else Operation.REMOVE


@dataclass
class Model:
    """The store as it must be.

    changes: of the gallery since they were last compared, in order. acts: rows of the audit log.
    """

    encounters: dict[str, Modelled] = field(default_factory=dict)
    answers: dict[str, bytes] = field(default_factory=dict)
    changes: list[tuple[Operation, str]] = field(default_factory=list)
    acts: int = 0

    def copied(self) -> Model:
        """A copy that does not change with this one."""
        return Model(dict(self.encounters), dict(self.answers), list(self.changes), self.acts)


class _Undone(Exception):  # noqa: N818 - no error: it rolls a transaction back
    pass


class History:
    """One history in a folder; `walk` takes the steps, `end` compares everything there is."""

    def __init__(self, empty: Path, folder: Path, chance: random.Random) -> None:
        shutil.copytree(empty, folder)
        self._folder, self._chance, self.model = folder, chance, Model()
        self.steps = self.undone = 0
        self._pictures = 0
        self._reached = 0  # of the store's change log, once compared; the model's begins anew there
        self._open()

    def walk(self, steps: int) -> None:
        """Take so many steps."""
        while self.steps < steps:
            self._transaction(min(self._chance.randint(1, 20), steps - self.steps))
            self._compare(whole=self._chance.randrange(COMPARED) == 0)
            if (between := self._chance.randrange(300)) < len(_BETWEEN):
                _BETWEEN[between](self)

    def end(self) -> None:
        """Everything once more, by every check the store has; then the folder goes."""
        self._compare(whole=True)
        self.records.sweep_orphans(older_than=float("inf"))
        assert list(examine(self.database, self.records)) == []
        with self.database.reading() as tx:
            verifier = Signer(self.keyring.secret("audit-signing")).verifier
            assert self.database.audit is not None
            assert list(verify(tx, self.database.audit, verifier)) == []
        assert len(list(self.records.blobs.addresses())) == len(self.model.encounters)
        self.database.close()
        shutil.rmtree(self._folder)

    def _open(self) -> None:
        self.keyring = Keyring.open(self._folder / "keys")
        self.database = Database.open(self._folder)
        with self.database.reading() as tx:
            adopt_keyring(tx, self.keyring)
        self.records = Records(self.database, BlobStore(self._folder / "blobs"), self.keyring)

    def _transaction(self, steps: int) -> None:
        """Some steps, all or none."""
        before = self.model.copied()
        try:
            with self.database.transaction() as tx:
                for act in self._chance.choices(_ACTS, _WEIGHTS, k=steps):
                    act(self, tx)
                if self._chance.randrange(ROLLED_BACK) == 0:
                    raise _Undone  # noqa: TRY301 - the roll-back is what is tried
        except _Undone:
            self.model = before
            self.undone += steps
        self.steps += steps

    def _key(self) -> str:
        return f"e-{self._chance.randrange(NAMES)}"

    def _add(self, tx: Connection) -> None:
        """An encounter that exists is refused."""
        number, person = self._chance.randrange(NAMES), self._chance.randrange(NAMES)
        encounter = random_encounter(number, person_id=f"p-{person}", positions=(INDEX,))
        encounter = replace(encounter, biographic={"name": f"name {person}"})
        self._pictures += 1
        encounter, pictures = with_picture(encounter, b"picture %d" % self._pictures)
        key = encounter.encounter_id
        known = self.model.encounters.get(key)
        if _refused(ConflictingRecord, lambda: self.records.add(tx, encounter, pictures), known is not None):
            return
        modelled = Modelled(f"p-{person}", f"name {person}", pictures[INDEX])
        self.model.encounters[key] = modelled
        self.model.changes.append((Operation.ADD, key))

    def _erase(self, tx: Connection) -> None:
        """What is not there cannot be erased, what is held may not."""
        key = self._key()
        known = self.model.encounters.get(key)
        if known is None or known.hold_id is not None:
            refusal = UnknownRecord if known is None else HeldRecord
            _refused(refusal, lambda: self.records.erase(tx, key), expected=True)
            return
        self.records.erase(tx, key)
        del self.model.encounters[key]
        self.model.changes.append((Operation.REMOVE, key))
        self.model.acts += 1

    def _amend(self, tx: Connection) -> None:
        """Another status, another person, another name."""
        key = self._key()
        known, chance = self.model.encounters.get(key), self._chance
        person, name, active = chance.randrange(NAMES), f"name {chance.random()}", chance.random() < 0.6
        status = EncounterStatus.ACTIVE if active else EncounterStatus.INACTIVE
        amendment = Amendment(status=status, person_id=f"p-{person}", biographic={"name": name})
        if _refused(UnknownRecord, lambda: self.records.amend(tx, key, amendment), known is None):
            return
        assert known is not None
        changed = replace(known, active=active, person_id=f"p-{person}", name=name)
        self.model.encounters[key] = changed
        self.model.changes.append((changed.operation, key))  # they narrow searches

    def _hold_or_lift(self, tx: Connection) -> None:
        """A hold where there is none, none where there is one."""
        key = self._key()
        known = self.model.encounters.get(key)
        if known is not None and known.hold_id is not None:
            retention.lift(tx, known.hold_id, actor=ACTOR, at=utc_now())
            self.model.encounters[key] = replace(known, hold_id=None)
        elif known is None:
            hold = lambda: retention.hold(tx, key, "r", actor=ACTOR, at=utc_now())  # noqa: E731
            _refused(UnknownRecord, hold, expected=True)
            return
        else:
            hold_id = retention.hold(tx, key, "a reason", actor=ACTOR, at=utc_now())
            self.model.encounters[key] = replace(known, hold_id=hold_id)
        self.model.acts += 1

    def _repeat(self, tx: Connection) -> None:
        """The same request twice has one answer; another under its key is refused."""
        key = f"request-{self._chance.randrange(200)}"
        known = self.model.answers.get(key)
        if known is not None and self._chance.random() < 0.2:
            _refused(ConflictingRecord, lambda: idempotency.claim(tx, key, "another"), expected=True)
            return
        assert idempotency.claim(tx, key, "hash") == known
        if known is None:
            self.model.answers[key] = b"answer %d" % self._chance.getrandbits(40)
            idempotency.remember(tx, key, self.model.answers[key])

    def _look(self, tx: Connection) -> None:
        """One encounter with its picture, inside the transaction that may have changed it."""
        self._compare_one(tx, self._key())

    def _ask(self, tx: Connection) -> None:
        """Ids, or whether a person is there."""
        if self._chance.random() < 0.3:
            assert self.records.encounter_ids(tx) == sorted(self.model.encounters)
            return
        person = f"p-{self._chance.randrange(NAMES)}"
        there = any(each.person_id == person for each in self.model.encounters.values())
        assert self.records.person_exists(tx, person) == there

    def _restart(self) -> None:
        self.database.close()
        self._open()
        self.records.sweep_released()

    def _rotate(self) -> None:
        rotated = resealing.rotate(self.database, self.records, self.keyring, lambda _done, _total: None)
        assert rotated == len(self.model.encounters)

    def _checkpoint(self) -> None:
        with self.database.transaction() as tx:
            write_checkpoint(tx, Signer(self.keyring.secret("audit-signing")), utc_now())

    def _compare(self, *, whole: bool) -> None:
        known = self.model.encounters
        with self.database.reading() as tx:
            assert self.records.encounter_ids(tx) == sorted(known)
            news = self.records.changes(tx, self._reached, 1_000)
            assert [(each.operation, each.encounter_id) for each in news] == self.model.changes
            self._reached = news[-1].sequence if news else self._reached
            self.model.changes.clear()
            assert audit_log.last_sequence(tx) == self.model.acts
            if whole:
                for key in known:
                    self._compare_one(tx, key)
                searchable = {key for key, each in known.items() if each.active}
                assert self.records.tenprints(tx, list(known)).keys() == searchable
                assert set(self.records.searchable(tx, limit=len(known) + 1)) == searchable

    def _compare_one(self, tx: Connection, key: str) -> None:
        known = self.model.encounters.get(key)
        if known is None:
            _refused(UnknownRecord, lambda: self.records.get(tx, key), expected=True)
            return
        found = self.records.get(tx, key)
        assert (found.person_id, found.biographic) == (known.person_id, {"name": known.name})
        assert (found.status is EncounterStatus.ACTIVE) == known.active
        assert self.records.image(tx, key, INDEX) == known.picture


def _refused(refusal: type[FingerprintError], act: Callable[[], object], expected: bool) -> bool:  # noqa: FBT001
    """Do it; whether it was refused, which must be as expected."""
    try:
        act()
    except refusal:
        assert expected, f"refused as {refusal.__name__}"
        return True
    assert not expected, f"not refused as {refusal.__name__}"
    return False


_ACTS = (
    History._add,
    History._erase,
    History._amend,
    History._hold_or_lift,
    History._repeat,
    History._look,
    History._ask,
)
_WEIGHTS = (12, 6, 12, 10, 25, 5, 30)
_BETWEEN = (History._restart, History._rotate, History._checkpoint, History._checkpoint)
