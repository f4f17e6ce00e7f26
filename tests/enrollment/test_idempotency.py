"""The same request twice does its work once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from enrollment import idempotency
from enrollment.database import Database
from enrollment.encounter import utc_now
from enrollment.errors import ConflictingRecord


def test_first_claim_is_to_be_done_and_a_repeat_gets_the_answer(database: Database) -> None:
    """None first, then the answer that was remembered."""
    with database.transaction() as tx:
        assert idempotency.claim(tx, "desk:1", "a" * 64) is None
        idempotency.remember(tx, "desk:1", b"answer")
    with database.transaction() as tx:
        assert idempotency.claim(tx, "desk:1", "a" * 64) == b"answer"


def test_key_of_another_request_is_refused(database: Database) -> None:
    """A reused key never returns somebody else's answer."""
    with database.transaction() as tx:
        idempotency.claim(tx, "desk:1", "a" * 64)
        idempotency.remember(tx, "desk:1", b"answer")
    with pytest.raises(ConflictingRecord, match="another request"), database.transaction() as tx:
        idempotency.claim(tx, "desk:1", "b" * 64)


def test_failed_work_frees_the_key(database: Database) -> None:
    """What was rolled back can be tried again under the same key."""
    with pytest.raises(ZeroDivisionError), database.transaction() as tx:  # noqa: PT012 - that is the claim
        idempotency.claim(tx, "desk:1", "a" * 64)
        raise ZeroDivisionError
    with database.transaction() as tx:
        assert idempotency.claim(tx, "desk:1", "a" * 64) is None


def test_claim_without_an_answer_is_not_repeated(database: Database) -> None:
    """Work that committed without an answer is refused, never done again in silence."""
    with database.transaction() as tx:
        idempotency.claim(tx, "desk:1", "a" * 64)
    with pytest.raises(ConflictingRecord, match="never answered"), database.transaction() as tx:
        idempotency.claim(tx, "desk:1", "a" * 64)


def test_two_at_once_do_the_work_once(database: Database) -> None:
    """Of two simultaneous requests one works, the other waits and gets its answer."""
    start = threading.Barrier(2)
    worked: list[int] = []

    def request(number: int) -> bytes:
        start.wait()
        with database.transaction() as tx:
            known = idempotency.claim(tx, "desk:1", "a" * 64)
            if known is None:
                worked.append(number)
                idempotency.remember(tx, "desk:1", b"answer")
            return known or b"answer"

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(request, range(2))) == [b"answer", b"answer"]
    assert len(worked) == 1


def test_old_keys_are_forgotten(database: Database) -> None:
    """Keys do not pile up for ever."""
    with database.transaction() as tx:
        idempotency.claim(tx, "desk:1", "a" * 64)
        assert idempotency.forget(tx, utc_now() - timedelta(days=1)) == 0
        assert idempotency.forget(tx, utc_now() + timedelta(seconds=1)) == 1
        assert idempotency.claim(tx, "desk:1", "b" * 64) is None
