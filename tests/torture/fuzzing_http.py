"""Mutants through the whole service, over HTTP: bodies and pictures of every kind of caller.

Whatever is sent, the answer is no 5xx and the service goes on. Pictures that still decode are extracted and
searched for, so these are the slowest of the mutants.
"""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import numpy as np
from hostile import mutants, seeds
from running_service import GROUND, KNOWN, make_keys, picture, serving, wait_until_ready

from api.roles import Role
from api.settings import load_settings

#: Of ten requests, how many carry a mutant picture in a sound body; the others are mutant bodies.
PICTURES_OF_TEN = 2
#: How long a service may take to start on a machine that does much else, seconds.
PATIENCE_S = 300


@dataclass(frozen=True, slots=True)
class Question:
    """A sound request, made of one body."""

    role: Role
    address: str
    content_type: str
    body: bytes


@dataclass
class Answers:
    """statuses: how often each came. faults: what was answered with a 5xx, by its first bytes."""

    statuses: Counter[int] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


def fuzz_service(folder: Path, count: int, seed: int) -> Answers:
    """Send `count` mutants to a service on a store of its own, and at the end a sound request."""
    settings = load_settings(data=folder, max_requests_per_minute=0)
    keys = make_keys(settings)
    answers, rng = Answers(), np.random.default_rng(seed)
    with serving(settings, ready=False) as client:
        wait_until_ready(client, seconds=PATIENCE_S)
        known = questions(client, picture(KNOWN))
        for number, question in enumerate(_mutated(client, known, count, rng)):
            answer = _send(client, keys, question)
            answers.statuses[answer.status_code] += 1
            if answer.status_code >= 500:
                begin = question.body[:200].hex()
                answers.faults.append(f"{answer.status_code} {question.address} {number}: {begin}")
        for question in known:
            answer = _send(client, keys, question)
            assert answer.status_code == 200, f"afterwards {question.address} gives {answer.text}"
    return answers


def questions(client: httpx.Client, data: bytes) -> list[Question]:
    """One sound request of each kind that has a body."""
    image = {"biometricType": "FINGER", "biometricSubType": "RIGHT_INDEX", "resolution": 500}
    image |= {"compression": "PNG", "impressionType": "LIVE_SCAN_PLAIN"}
    image |= {"image": base64.b64encode(data).decode()}
    body = {"status": "ACTIVE", "encounterType": "ENROL", "galleries": ["osia"], "biometricData": [image]}
    person = json.dumps(body).encode()
    search = json.dumps({"filter": {}, "biometricData": [image]}).encode()
    return [
        Question(Role.DESK, "/v1/persons?transactionId=t-1", "application/json", person),
        Question(Role.DESK, "/v1/identify/osia?transactionId=t-1", "application/json", search),
        _form(client, Role.DESK, "/desk/encounters", {}, data),
        _form(client, Role.POLICE, "/police/identify", GROUND, data),
    ]


def _form(client: httpx.Client, role: Role, address: str, fields: dict[str, str], data: bytes) -> Question:
    files = {"right_index": ("print.png", data)}
    built = client.build_request("POST", address, data=fields | {"ppi": "500"}, files=files)
    return Question(role, address, built.headers["content-type"], built.read())


def _mutated(
    client: httpx.Client, known: list[Question], count: int, rng: np.random.Generator
) -> Iterator[Question]:
    pictures = list(seeds().values())
    for number in range(count):
        question = known[int(rng.integers(len(known)))]
        if number % 10 < PICTURES_OF_TEN:
            (data,) = mutants(pictures[int(rng.integers(len(pictures)))], 1, rng)
            fields = GROUND if question.role is Role.POLICE else {}
            yield _form(client, Role.POLICE, "/police/identify", GROUND | fields, data)
        else:
            # Half of the damage goes where the fields are, not into the picture.
            at = int(rng.integers(len(question.body))) if rng.random() < 0.5 else 600
            (damaged,) = mutants(question.body[:at], 1, rng) if at else (b"",)
            body = damaged + question.body[at:]
            yield Question(question.role, question.address, question.content_type, body)


def _send(client: httpx.Client, keys: dict[Role, str], question: Question) -> httpx.Response:
    headers = {"Authorization": f"Bearer {keys[question.role]}", "Content-Type": question.content_type}
    return client.post(question.address, content=question.body, headers=headers)
