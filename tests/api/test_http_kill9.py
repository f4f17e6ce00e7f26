"""kill -9 of the real service during a stream of enrolments: what was acknowledged is there and is found."""

from __future__ import annotations

import random
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Self

import httpx
import pytest
from running_service import KNOWN, make_keys, picture, wait_until_ready

from api.roles import Role
from api.settings import load_settings

_KILLS = 3
_FINGER = "right_index"


class ServiceProcess:
    """`tenprint serve` in a process of its own, on a free port."""

    def __init__(self, data: Path) -> None:
        self._log = data / "serve.log"
        command = [sys.executable, "-m", "api.cli", "serve", "--data", str(data), "--port", "0"]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(command, stderr=log)
        self.address = ""

    def __enter__(self) -> Self:
        try:
            self._wait_for_it()
        except BaseException:
            self.kill()
            raise
        return self

    def _wait_for_it(self) -> None:
        while not (found := re.search(r"at (http://\S+)", self._log.read_text())):
            assert self._process.poll() is None, self._log.read_text()
            time.sleep(0.05)
        self.address = found[1]
        with httpx.Client(base_url=self.address, timeout=60, trust_env=False) as client:
            _until_it_answers(client)
            wait_until_ready(client)

    def __exit__(self, *exception: object) -> None:
        self.kill()

    def kill(self) -> None:
        """End it without a chance to finish anything."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()


def _until_it_answers(client: httpx.Client) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            client.get("/livez")
        except httpx.TransportError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return


def _enrol_until_killed(address: str, key: str, acknowledged: dict[str, str], stream: str) -> None:
    """Post one new person after the other; remember who was acknowledged."""
    headers = {"Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=address, timeout=60, trust_env=False, headers=headers) as client:
        for number in range(10_000):
            person = f"{stream}-{number}"
            files = {_FINGER: ("print.png", picture(KNOWN))}
            try:
                answer = client.post("/desk/encounters", files=files, data={"person_id": person})
            except httpx.TransportError:
                return
            assert answer.status_code == 200, answer.text
            acknowledged[person] = answer.json()["encounter_id"]


@pytest.mark.slow
def test_acknowledged_enrolments_survive_kill_9_of_the_service(tmp_path: Path) -> None:
    """After each kill the service starts again; at the end every acknowledged person is verified."""
    keys = make_keys(load_settings(data=tmp_path))
    acknowledged: dict[str, str] = {}
    chance = random.Random(9)
    for kill in range(_KILLS):
        before = len(acknowledged)
        with ServiceProcess(tmp_path) as service:
            arguments = (service.address, keys[Role.DESK], acknowledged, f"stream-{kill}")
            sender = threading.Thread(target=_enrol_until_killed, args=arguments)
            sender.start()
            while len(acknowledged) < before + 2:
                time.sleep(0.01)
            time.sleep(chance.uniform(0, 0.5))
            service.kill()
            sender.join()
    with ServiceProcess(tmp_path) as service:
        _check(service.address, keys, acknowledged)
    assert len(acknowledged) >= 2 * _KILLS


def _check(address: str, keys: dict[Role, str], acknowledged: dict[str, str]) -> None:
    """Each is read back under its id, and found in the gallery."""
    desk = {"Authorization": f"Bearer {keys[Role.DESK]}"}
    police = {"Authorization": f"Bearer {keys[Role.POLICE]}"}
    ground = dict.fromkeys(("authority", "purpose", "legal_basis", "file_number"), "test")
    with httpx.Client(base_url=address, timeout=60, trust_env=False) as client:
        for person, encounter in acknowledged.items():
            place = f"/v1/persons/{person}/encounters/{encounter}"
            assert client.get(place, params={"transactionId": "t"}, headers=desk).status_code == 200
            files = {_FINGER: ("print.png", picture(KNOWN, 2))}
            asked = client.post(
                "/police/verify", files=files, data={"person_id": person, **ground}, headers=police
            )
            assert asked.json()["decision"] == "match"
