"""Health and counters: open to the supervisor, silent about people."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import httpx
import pytest
from running_service import Running, make_keys, serving

from api.roles import Role
from api.settings import load_settings
from enrollment.follower import GalleryFollower


def test_alive_and_ready(running: Running) -> None:
    """No key is needed, and nothing lags."""
    assert running.client.get("/livez").json() == {"status": "alive"}
    ready = running.client.get("/readyz").json()
    assert ready["status"] == "ready"
    assert ready["behind"] == 0


def test_counters_name_routes_not_addresses(running: Running) -> None:
    """Ids of people never become labels."""
    running.ask(Role.DESK, "GET", "/v1/persons/secret-id/encounters", params={"transactionId": "t"})
    text = running.client.get("/metrics").text
    assert 'route="/v1/persons/{personId}/encounters"' in text
    assert "secret-id" not in text
    for name in (
        "tenprint_gallery_references",
        "tenprint_gallery_lag",
        "tenprint_encounters",
        "tenprint_decoder",
    ):
        assert name in text


def test_every_answer_carries_an_id_and_is_not_stored(running: Running) -> None:
    """Prints and answers stay out of caches; the id finds the log line."""
    answer = running.client.get("/livez")
    assert answer.headers["x-request-id"]
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.fixture
def slow_start(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[httpx.Client, str, threading.Event]]:
    """A service whose gallery is filled only when the test says so."""
    released = threading.Event()
    real = GalleryFollower.catch_up

    def delayed(follower: GalleryFollower, progress: object = None) -> int:
        assert released.wait(30)
        return real(follower, progress)  # type: ignore[arg-type]

    monkeypatch.setattr(GalleryFollower, "catch_up", delayed)
    settings = load_settings(data=tmp_path_factory.mktemp("slow"), decoder_workers=1)
    key = make_keys(settings)[Role.DESK]
    with serving(settings, ready=False) as client:
        yield client, key, released
        released.set()


def test_not_ready_until_the_gallery_holds_everything(
    slow_start: tuple[httpx.Client, str, threading.Event],
) -> None:
    """Alive at once; searching before everything can be found would be a wrong answer."""
    client, key, released = slow_start
    assert client.get("/livez").status_code == 200
    assert client.get("/readyz").json()["code"] == "not_ready"
    answer = client.post("/desk/encounters", headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    released.set()
    deadline = time.monotonic() + 30
    while client.get("/readyz").status_code != 200:
        assert time.monotonic() < deadline
        time.sleep(0.05)
