"""What a third party says of a checkpoint: it existed at this time (RFC 3161).

A time-stamp authority signs the SHA-256 of a checkpoint's note. Its answer is kept as it came, `SIZE.tsr`
beside the store; anybody can check it with openssl and the authority's root certificate. Needs the extra
`timestamps`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import httpx
from cryptography import x509

from enrollment.audit_verification import Tampering
from enrollment.durable import make_folder, write_durably
from enrollment.errors import DamagedRecord, TimeStampRefused

_ANSWER = re.compile(r"([0-9]+)\.tsr")
#: Longest wait for an authority, seconds, and largest answer read.
_PATIENCE_S, _MOST_BYTES = 30.0, 1_000_000
_HEADERS = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}


def post(url: str, query: bytes) -> bytes:
    """What the authority at an address answers; `TimeStampRefused` where it does not."""
    try:
        answer = httpx.post(url, content=query, headers=_HEADERS, timeout=_PATIENCE_S)
        answer.raise_for_status()
    except httpx.HTTPError as fault:
        raise TimeStampRefused(f"the time-stamp authority did not answer: {type(fault).__name__}") from fault
    return answer.content[:_MOST_BYTES]


@dataclass(frozen=True, slots=True)
class TimeStamps:
    """The answers in a folder. roots: PEM file with the root certificates of the authorities believed."""

    folder: Path
    roots: Path

    def stamp(self, size: int, note: str, ask: Callable[[bytes], bytes]) -> datetime:
        """Have a checkpoint of so many rows time-stamped; gives the authority's time.

        ask: sends a query, gives the answer. One that does not hold is `TimeStampRefused`, and not kept.
        """
        from rfc3161_client import TimestampRequestBuilder  # noqa: PLC0415 - an extra

        request = TimestampRequestBuilder().data(note.encode()).build()
        answer = ask(request.as_bytes())
        try:
            at = self._checked(answer, note, nonce=request.nonce)
        except DamagedRecord as damage:
            raise TimeStampRefused(f"the time-stamp is not kept: {damage}") from damage
        make_folder(self.folder)
        write_durably(self.folder / f"{size}.tsr", answer)
        return at

    def newest(self) -> int:
        """The size of the largest checkpoint that was time-stamped; 0 where none was."""
        return max(self._sizes(), default=0)

    def check(self, notes: Mapping[int, str]) -> Iterator[Tampering]:
        """Every time-stamp that does not stand for its checkpoint. notes: of the log, by size."""
        for size in sorted(self._sizes()):
            if size not in notes:
                yield Tampering(f"time-stamp {size}", "its checkpoint is missing")
                continue
            try:
                self._checked((self.folder / f"{size}.tsr").read_bytes(), notes[size])
            except DamagedRecord as damage:
                yield Tampering(f"time-stamp {size}", str(damage))

    def time_of(self, size: int, note: str) -> datetime:
        """When the authority saw the checkpoint; `DamagedRecord` where the time-stamp is not of this note."""
        return self._checked((self.folder / f"{size}.tsr").read_bytes(), note)

    def _sizes(self) -> set[int]:
        files = self.folder.iterdir() if self.folder.exists() else ()
        return {int(found[1]) for each in files if (found := _ANSWER.fullmatch(each.name))}

    def _checked(self, answer: bytes, note: str, nonce: int | None = None) -> datetime:
        """The time of an answer that is signed under one of the roots and stands for this note."""
        from rfc3161_client import VerificationError, VerifierBuilder, decode_timestamp_response  # noqa: PLC0415

        verifier = VerifierBuilder(
            roots=x509.load_pem_x509_certificates(self.roots.read_bytes()), nonce=nonce
        )
        try:
            response = decode_timestamp_response(answer)
            verifier.build().verify_message(response, note.encode())
        except (VerificationError, ValueError) as fault:
            raise DamagedRecord(f"it does not hold for its checkpoint: {fault}") from fault
        at: datetime = response.tst_info.gen_time
        return at
