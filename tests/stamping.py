"""A real time-stamp authority for tests: `openssl ts`, with its own root, behind a small HTTP server."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

OPENSSL = shutil.which("openssl")
_CONFIG = """
[ tsa ]
default_tsa = tenprint
[ tenprint ]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/tsa.pem
certs = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
accuracy = secs:1
ess_cert_id_chain = no
ess_cert_id_alg = sha256
[ root ]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign
subjectKeyIdentifier = hash
[ leaf ]
basicConstraints = critical,CA:false
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[ req ]
distinguished_name = dn
[ dn ]
"""


def openssl(*arguments: str) -> None:
    """Run openssl; raises where it fails."""
    subprocess.run([str(OPENSSL), *arguments], check=True, capture_output=True)


def make_authority(folder: Path) -> Path:
    """Root certificate `root.pem`, signing certificate, keys and serial numbers in a folder; gives it."""
    config = folder / "openssl.cnf"
    config.write_text(_CONFIG.format(folder=folder))
    (folder / "serial").write_text("01\n")
    for name, extensions in (("root", "root"), ("tsa", "leaf")):
        key = ["-newkey", "rsa:2048", "-nodes", "-keyout", f"{folder}/{name}.key", "-subj", f"/CN={name}"]
        signed = [] if name == "root" else ["-CA", f"{folder}/root.pem", "-CAkey", f"{folder}/root.key"]
        shape = ["-extensions", extensions, "-config", str(config)]
        openssl("req", "-x509", "-days", "30", *key, *shape, *signed, "-out", f"{folder}/{name}.pem")
    return folder


def answered(authority: Path, query: bytes) -> bytes:
    """What the authority answers to a query."""
    with tempfile.TemporaryDirectory() as folder:
        asked, answer = Path(folder, "query"), Path(folder, "answer")
        asked.write_bytes(query)
        files = ["-queryfile", str(asked), "-out", str(answer)]
        openssl("ts", "-reply", "-config", f"{authority}/openssl.cnf", *files)
        return answer.read_bytes()


@contextmanager
def serving_authority(authority: Path) -> Iterator[str]:
    """The address of the authority; every path but / fails there."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = self.rfile.read(int(self.headers["content-length"]))
            asked = self.headers["content-type"] == "application/timestamp-query" and self.path == "/"
            self.send_response(200 if asked else 500)
            self.end_headers()
            if asked:
                self.wfile.write(answered(authority, query))

        def log_message(self, *_arguments: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()
