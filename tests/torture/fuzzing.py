"""Mutated records and pictures through every reader of the project: a refusal is fine, all else is a fault.

Images go through the decoder processes, as in the service: what kills one is no fault of ours as long as it
is answered as a refusal.
"""

from __future__ import annotations

import base64
import json
import resource
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path

import numpy as np
from hostile import mutants, seeds
from stored_people import random_template

from enrollment.audit_checkpoints import Signer, read_note
from enrollment.audit_tree import leaf_hash, root_of
from enrollment.audit_verification import check_proof
from enrollment.envelope import DataKey, Particulars
from enrollment.formats import nist_itl, nist_records, template_v1
from enrollment.formats.nist_records import FingerImage, Heading
from enrollment.image_header import inspect_header
from enrollment.limits import DEFAULT_LIMITS
from enrollment.sandbox import DecoderSandbox
from enrollment.sealing import Sealer
from matcher.codes import FingerPosition, ImpressionType
from matcher.comparison import prepare
from matcher.errors import FingerprintError

#: Slower than this for one record is a fault, seconds of computing: a busy machine changes nothing of it.
SLOWEST_S = 2.0
#: The same for a picture, on the wall: its process limits the computing, and may have to be started first.
SLOWEST_WALL_S = DEFAULT_LIMITS.start_s + DEFAULT_LIMITS.wall_s + DEFAULT_LIMITS.grace_s
#: Pictures decoded at once: mostly they wait for processes to start.
AT_ONCE = 4
_SIGNER = Signer(bytes(range(32)))
_PLACE = b"a place"
_SEALER = Sealer(bytes(32))
_SECRET = b"x" * 200
_ENTRY = '{"actor":"key-1","sequence":1}'


@dataclass
class Reader:
    """Something that reads bytes from outside. read: raises `FingerprintError` for what it refuses."""

    read: Callable[[bytes], object]
    seeds: list[bytes]


@dataclass
class Tally:
    """What became of the inputs of one reader."""

    inputs: int = 0
    accepted: int = 0
    slowest_s: float = 0.0
    faults: list[str] = field(default_factory=list)


def record_readers() -> Mapping[str, Reader]:
    """Every reader of records, with sound records to mutate."""
    rng = np.random.default_rng(1)
    drawn = (random_template(rng, minutiae=count, ridges=count % 2 == 0) for count in (0, 1, 40, 120))
    templates = [template_v1.encode(each) for each in drawn]
    text = _SIGNER.sign(7, bytes(32), 9).note.encode()
    note = _SIGNER.sign(2, root_of([leaf_hash(_ENTRY.encode()), bytes(32)]), 2).note
    path = [base64.b64encode(bytes(32)).decode()]
    proof = {"entry": _ENTRY, "index": 0, "path": path, "checkpoint": note}
    particulars = Particulars({"lastName": "Peeters"}, {"place": "Gent"}, b"data")
    return {
        "template": Reader(_read_template, templates),
        "ANSI/NIST file": Reader(_read_transaction, [_transaction()]),
        "image header": Reader(inspect_header, list(seeds().values())),
        "sealed bytes": Reader(_read_sealed, [_SEALER.seal(_SECRET, _PLACE)]),
        "particulars": Reader(_read_particulars, [DataKey.of("e", bytes(32)).seal_particulars(particulars)]),
        "audit checkpoint": Reader(_read_note, [text]),
        "audit proof": Reader(_read_proof, [json.dumps(proof).encode()]),
    }


def fuzz_records(count: int, seed: int) -> dict[str, Tally]:
    """`count` mutants through each reader of records."""
    rng, readers = np.random.default_rng(seed), record_readers()
    for reader in readers.values():
        for sound in reader.seeds:
            reader.read(sound)  # whatever is compiled or loaded once is no time of a mutant
    return {name: _fuzz(reader.read, _endless(reader.seeds, rng, count)) for name, reader in readers.items()}


def fuzz_images(count: int, seed: int) -> dict[str, Tally]:
    """`count` mutants of every picture format, alone and in an ANSI/NIST file, through decoder processes."""
    rng = np.random.default_rng(seed)
    with DecoderSandbox(workers=AT_ONCE) as sandbox:
        for sound in seeds().values():
            sandbox.decode(sound, ppi=500)  # the processes are started

        def read_pictures(data: bytes) -> None:
            for each in nist_records.finger_images(nist_itl.decode(data)):
                sandbox.decode(each.data, container_ppi=each.ppi)

        tallies = {
            name: _fuzz(lambda data: sandbox.decode(data, ppi=500), mutants(sound, count, rng), wall=True)
            for name, sound in seeds().items()
        }
        files = mutants(_transaction(), count, rng)
        return tallies | {"ANSI/NIST picture": _fuzz(read_pictures, files, wall=True)}


@contextmanager
def memory_of(most_bytes: int) -> Iterator[None]:
    """Let this process have no more memory than this while the block runs: a reader that swells fails."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + most_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def _endless(sound: list[bytes], rng: np.random.Generator, count: int) -> Iterator[bytes]:
    share = -(-count // len(sound))
    for each in sound:
        yield from mutants(each, share, rng)


def _fuzz(read: Callable[[bytes], object], inputs: Iterator[bytes], *, wall: bool = False) -> Tally:
    """One input after the other; with `wall`, where another process works, some at once."""
    tally = Tally()
    clock, most = (time.monotonic, SLOWEST_WALL_S) if wall else (time.process_time, SLOWEST_S)

    def one(data: bytes) -> tuple[bool, float, str]:
        accepted, fault, begun = False, "", clock()
        try:
            read(data)
            accepted = True
        except FingerprintError:
            pass
        except Exception as failure:  # noqa: BLE001 - whatever it is, it is the finding
            fault = f"{type(failure).__name__}: {failure} for {data[:200].hex()}"
        took = clock() - begun
        return accepted, took, fault or (f"{took:.1f} s for {data[:200].hex()}" if took > most else "")

    with ThreadPoolExecutor(AT_ONCE) as pool:
        while some := list(islice(inputs, 400)):
            for accepted, took, fault in pool.map(one, some) if wall else map(one, some):
                tally.inputs += 1
                tally.accepted += accepted
                tally.slowest_s = max(tally.slowest_s, took)
                tally.faults += [fault] if fault else []
    return tally


def _read_template(data: bytes) -> None:
    """As the store does: with a true checksum, so that damage reaches the parser; it must prepare then."""
    sound = data[:-4] + zlib.crc32(data[:-4]).to_bytes(4, "big") if len(data) > 4 else data
    template = template_v1.decode(sound)
    if len(template) < 40:
        prepare(template)


def _read_transaction(data: bytes) -> None:
    for _ in nist_records.finger_images(nist_itl.decode(data)):
        pass


def _read_particulars(data: bytes) -> None:
    DataKey.of("e", bytes(32)).open_particulars(data)


def _read_sealed(data: bytes) -> None:
    assert _SEALER.open(data, _PLACE) == _SECRET, "forged: a mutant opened as something else"


def _read_note(data: bytes) -> None:
    read = read_note(data.decode("utf-8", "replace"), _SIGNER.verifier)
    assert (read.size, read.root, read.last_sequence) == (7, bytes(32), 9), (
        "forged: other numbers were accepted"
    )


def _read_proof(data: bytes) -> None:
    try:
        document = json.loads(data)
    except ValueError as fault:
        raise FingerprintError("no JSON") from fault
    check_proof(document, _SIGNER.verifier)
    assert (document["entry"], document["index"]) == (_ENTRY, 0), "forged: another entry was proved"


def _transaction() -> bytes:
    at = datetime(2026, 11, 23, tzinfo=UTC)
    heading = Heading("EUDS", "EUD/SIM", "BE/SIM", "BE1000000000101", at, ("a profile", "1"))
    image = FingerImage(
        idc=1,
        position=FingerPosition.RIGHT_INDEX,
        impression=ImpressionType.LIVE_PLAIN,
        width_px=160,
        height_px=200,
        ppi=500,
        compression="WSQ20",
        data=seeds()["wsq"],
    )
    picture = nist_records.type_14(image, source="BE", captured_on=date(2026, 1, 1))
    records = (nist_records.type_2(((30, "A"),)), picture)
    return nist_itl.encode(nist_itl.Transaction(nist_records.type_1(heading), records))
