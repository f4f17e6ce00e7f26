"""How tests talk to a running service: pictures, keys, requests of every role."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import numpy as np
import pytest
import uvicorn

from api import keys
from api.app import create_app
from api.roles import Role
from api.settings import Settings
from api.store import open_store
from enrollment.capture import FingerprintImage
from enrollment.encounter import utc_now
from fixtures.named import print_of
from fixtures.pictures import encode_png
from matcher.codes import FingerPosition

#: Synthetic people: two that tests enrol, and one that no test ever does.
KNOWN, OTHER, STRANGER = 3, 4, 9

GROUND = {
    "authority": "PZ Test",
    "purpose": "identity check",
    "legal_basis": "Art. 1",
    "file_number": "T-1",
}


def picture(person: int, capture: int = 1, position: FingerPosition = FingerPosition.RIGHT_INDEX) -> bytes:
    """A capture of a synthetic finger as a PNG file with its resolution."""
    return encode_png(print_of(person, position, capture))


def blank_picture() -> bytes:
    """A clean, empty scanner as a PNG file."""
    pixels = np.full((400, 300), 230, np.uint8)
    return encode_png(FingerprintImage(pixels, 500))


@dataclass
class Running:
    """A started service and how its users talk to it."""

    client: httpx.Client
    settings: Settings
    keys: Mapping[Role, str]
    transaction: dict[str, str] = field(default_factory=lambda: {"transactionId": "t-1"})

    def ask(self, role: Role, method: str, address: str, **more: Any) -> httpx.Response:
        """Send a request with the role's key."""
        headers = {"Authorization": f"Bearer {self.keys[role]}", **more.pop("headers", {})}
        return self.client.request(method, address, headers=headers, **more)

    def enroll(self, images: Mapping[str, bytes], key: str | None = None, **fields: str) -> httpx.Response:
        """Post images at the desk, each under its finger."""
        files = {name: (f"{name}.png", data) for name, data in images.items()}
        headers = {"Idempotency-Key": key} if key else {}
        return self.ask(Role.DESK, "POST", "/desk/encounters", files=files, data=fields, headers=headers)

    def police(self, question: str, images: Mapping[str, bytes], **fields: str) -> httpx.Response:
        """Ask a police question with a legal ground."""
        files = {name: (f"{name}.png", data) for name, data in images.items()}
        return self.ask(Role.POLICE, "POST", f"/police/{question}", files=files, data=GROUND | fields)


def make_keys(settings: Settings) -> dict[Role, str]:
    """One key for each role."""
    with open_store(settings) as store, store.database.transaction() as tx:
        return {role: keys.create(tx, role, f"test {role.value}", now=utc_now()) for role in Role}


@contextmanager
def serving(settings: Settings, *, ready: bool = True) -> Iterator[httpx.Client]:
    """Serve on a free port from a thread, wait until it is `ready`, and stop it at the end."""
    config = uvicorn.Config(create_app(settings), host="127.0.0.1", port=0, log_config=None, access_log=False)
    socket = config.bind_socket()
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [socket]})
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.02)
    address = f"http://127.0.0.1:{socket.getsockname()[1]}"
    try:
        with httpx.Client(base_url=address, timeout=60.0, trust_env=False) as client:
            if ready:
                wait_until_ready(client)
            yield client
    finally:
        server.should_exit = True
        thread.join()
        socket.close()


def wait_until_ready(client: httpx.Client, *, seconds: float = 60.0) -> None:
    """Give the gallery time to be filled."""
    deadline = time.monotonic() + seconds
    while client.get("/readyz").status_code != 200:
        if time.monotonic() > deadline:
            pytest.fail("the service did not become ready")
        time.sleep(0.05)


def wait_until_told(client: httpx.Client, words: str) -> dict[str, Any]:
    """The first answer of /readyz whose detail holds these words."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        told: dict[str, Any] = client.get("/readyz").json()
        if words in told.get("detail", ""):
            return told
        time.sleep(0.05)
    pytest.fail(f"/readyz never said {words}")
