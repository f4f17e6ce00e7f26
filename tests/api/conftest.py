"""The real service on a real port, once for all tests: store, sandbox, network, gallery, a key a role."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from running_service import KNOWN, Running, make_keys, picture, serving

from api.settings import load_settings
from matcher.codes import FingerPosition


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The service, with an empty store of its own on SQLite."""
    settings = load_settings(data=tmp_path_factory.mktemp("service"), max_image_bytes=400_000)
    role_keys = make_keys(settings)
    with serving(settings) as client:
        yield Running(client, settings, role_keys)


@pytest.fixture(scope="session")
def known(running: Running) -> str:
    """The id of a person. Tests enrol the index finger again and again, the left ring finger never."""
    images = {"right_index": picture(KNOWN), "left_ring": picture(KNOWN, 1, FingerPosition.LEFT_RING)}
    answer = running.enroll(images, key="known", person_id="known-person")
    assert answer.status_code == 200, answer.text
    return str(answer.json()["person_id"])
