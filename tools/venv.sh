#!/bin/sh
# Make .venv from the hashed locks: tools/venv.sh runtime|dev STAMP
# Needs Python 3.11 with venv, and a package registry the first time. Run by the Makefile.
set -eu
kind=$1
stamp=$2
cd "$(dirname "$0")/.."

find_python() {
    for python in "${PYTHON:-}" python3.11 python3 python; do
        [ -n "$python" ] || continue
        if "$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then
            echo "$python"
            return
        fi
    done
    echo "Wellhead needs Python 3.11: neither python3.11 nor a python3 of that version is here." >&2
    echo "Install it, or name one: make venv PYTHON=/path/to/python3.11" >&2
    exit 1
}

python=$(find_python)
if [ -e .venv/.root ] && [ "$(cat .venv/.root)" != "$PWD" ]; then
    rm -rf .venv # the folder was moved: scripts in it start a Python that is not there
fi
mkdir -p .venv
if command -v flock >/dev/null; then # two makes at once: the second waits, then finds it done
    exec 9<.venv
    flock 9
    [ ! -e "$stamp" ] || exit 0
fi

if ! .venv/bin/python -c 'import pip' 2>/dev/null; then
    "$python" -m venv .venv || {
        echo "python -m venv failed; on Debian: apt-get install python3.11-venv" >&2
        exit 1
    }
fi
echo "Installing the locked $kind packages into .venv (once for each lock)"
pip() { .venv/bin/python -m pip --disable-pip-version-check --quiet "$@"; }
pip install --require-hashes --no-deps -r requirements/build.txt -r "requirements/$kind.txt"
pip install --no-build-isolation --no-deps --no-index --editable .
rm -f .venv/."$kind"-*
echo "$PWD" >.venv/.root
touch "$stamp"
