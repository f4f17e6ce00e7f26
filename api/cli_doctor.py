"""`tenprint doctor`: is everything as it should be? Each line says what was looked at and what to do."""

from __future__ import annotations

import platform
import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np
import typer
from sqlalchemy.exc import SQLAlchemyError

from api.chores import audit_signer
from api.cli_common import AsJson, Data, out, print_json
from api.exit_codes import CANNOT_WORK
from api.settings import Settings, load_settings, unknown_variables
from api.store import open_store
from api.version import VERSION
from enrollment import audit_log
from enrollment.audit_verification import verify
from enrollment.capture import FingerprintImage
from enrollment.database import audit_seal_of
from enrollment.doctor import Severity, examine
from enrollment.network import MinutiaeNetwork
from enrollment.nfiq2 import Nfiq2Failure, Nfiq2Sandbox
from enrollment.sandbox import DecoderSandbox
from matcher.errors import FingerprintError

app = typer.Typer()

_LEAST_FREE_BYTES = 1_000_000_000
#: Findings of the store told in one line.
_MOST_TOLD = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """One check. state: "ok", "warning" or "fault"; a fault ends the command with exit code 3."""

    check: str
    state: str
    detail: str


@app.command()
def doctor(data: Data = None, *, as_json: AsJson = False) -> None:
    """Check Python, weights, decoders, settings, disk and store; print the settings in effect.

    Try:
        tenprint doctor --data /var/lib/tenprint

    Exit code 0: all is well, warnings included. 3: something must be mended first.
    """
    settings = load_settings(data=data)
    checks: tuple[tuple[str, Callable[[Settings], str]], ...] = (
        ("python", _python),
        ("environment", _environment),
        ("minutiae network", _network),
        ("image decoders", _decoders),
        ("NFIQ 2", _nfiq2),
        ("disk", _disk),
        ("store", _store),
        ("audit log", _audit),
    )
    findings = [_run(name, check, settings) for name, check in checks]
    effective = settings.model_dump(mode="json", exclude={"database_url"})
    if as_json:
        document: dict[str, Any] = {"findings": [asdict(each) for each in findings], "settings": effective}
        print_json(document)
    else:
        for finding in findings:
            out.print(f"{finding.state:8} {finding.check:17} {finding.detail}", markup=False)
        out.print("settings in effect:")
        for name, value in effective.items():
            out.print(f"         {name:26} {value}", markup=False)
    if any(finding.state == "fault" for finding in findings):
        sys.exit(CANNOT_WORK)


class _Doubtful(Exception):  # noqa: N818 - a warning, not an error
    """Works, but somebody should look."""


def _run(name: str, check: Callable[[Settings], str], settings: Settings) -> Finding:
    """A check that raises is a finding like any other: the next ones still run."""
    try:
        return Finding(name, "ok", check(settings))
    except _Doubtful as doubt:
        return Finding(name, "warning", str(doubt))
    except (FingerprintError, SQLAlchemyError, OSError) as fault:
        return Finding(name, "fault", str(fault).splitlines()[0])


def _python(settings: Settings) -> str:
    del settings
    return f"{platform.python_version()} on {platform.machine()}, tenprint {VERSION}"


def _environment(settings: Settings) -> str:
    del settings
    if strange := unknown_variables():
        raise _Doubtful(f"{', '.join(strange)}: no settings of tenprint; correct the spelling or unset them")
    return "no unknown TENPRINT_ variables"


def _network(settings: Settings) -> str:
    del settings
    MinutiaeNetwork.load()
    return "weights are the pinned ones and load"


def _decoders(settings: Settings) -> str:
    del settings
    encoded, png = cv2.imencode(".png", np.full((128, 128), 200, np.uint8))
    with DecoderSandbox(workers=1) as decoder:
        decoder.decode(png.tobytes(), ppi=500)
    return "a picture was decoded in the sandbox" if encoded else "no picture could be made"


def _nfiq2(settings: Settings) -> str:
    """Optional: without it prints are enrolled all the same."""
    del settings
    rows, columns = np.mgrid[:320, :320]
    ridges = 127 + 100 * np.sin(np.hypot(columns - 160, rows - 400) * (2 * np.pi / 9))
    with Nfiq2Sandbox(workers=1) as sandbox:
        measure = sandbox.score(FingerprintImage(ridges.astype(np.uint8), 500))
    if measure.failure in {Nfiq2Failure.STOPPED, Nfiq2Failure.UNAVAILABLE}:
        raise _Doubtful(f"{measure.failure}: it needs x86-64 Linux with glibc 2.34 and nbis-py")
    return f"{measure.algorithm} judged a picture in the sandbox"


def _disk(settings: Settings) -> str:
    settings.data.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(settings.data).free
    if free < _LEAST_FREE_BYTES:
        raise _Doubtful(f"{free / 1e9:.1f} GB free in {settings.data}; make room before it fills up")
    return f"{free / 1e9:.0f} GB free in {settings.data}"


def _audit(settings: Settings) -> str:
    with open_store(settings) as store, store.database.reading() as tx:
        found = list(verify(tx, audit_seal_of(tx), audit_signer(store).verifier))
        last = audit_log.last_sequence(tx)
    if found:
        told = "; ".join(f"{each.where}: {each.detail}" for each in found[:_MOST_TOLD])
        raise FingerprintError(f"{len(found)} findings: {told}")
    return f"{last} rows, unbroken; every signed checkpoint holds"


def _store(settings: Settings) -> str:
    with open_store(settings) as store:
        found = list(examine(store.database, store.records))
        with store.database.reading() as tx:
            count, last = store.records.count(tx), store.records.last_sequence(tx)
    told = "; ".join(f"{each.check} {each.subject}: {each.detail}" for each in found[:_MOST_TOLD])
    if any(each.severity is Severity.FAULT for each in found):
        raise FingerprintError(f"{len(found)} findings: {told}")
    if found:
        raise _Doubtful(told)
    return f"{count} encounters, change {last}; every template and picture reads back as stored"
