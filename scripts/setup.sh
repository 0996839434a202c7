#!/bin/sh
# Makes .venv exactly as uv.lock says, with nothing but a Python 3.11 or later.
# Does nothing where nothing changed. PYTHON=/path/to/python chooses the Python.
set -eu
cd "$(dirname "$0")/.."

ready=.venv/.ready
python=.venv/bin/python
runs() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }
version() { "$1" -c 'import sys; print(sys.version)' 2>/dev/null; }
chosen() { [ -z "${PYTHON:-}" ] || [ "$(version "$PYTHON")" = "$(version "$python")" ]; }
fail() { printf '%s\n' "$1" >&2; exit 7; }

if [ "$(cat "$ready" 2>/dev/null)" = "$PWD" ] && runs "$python" && chosen \
    && [ ! pyproject.toml -nt "$ready" ] && [ ! uv.lock -nt "$ready" ]; then
    exit 0
fi

# A .venv of an older Python, of a Python that has gone, of another than PYTHON names
# or of another place (its programs name their place) is made anew.
[ "$(cat "$ready" 2>/dev/null || echo "$PWD")" = "$PWD" ] || rm -rf .venv
if ! runs "$python" || ! chosen; then
    found=
    bare=
    # The newest of those that every release is tested with, then any.
    for candidate in ${PYTHON:-python3.13 python3.12 python3.11 python3 python3.14}; do
        if ! runs "$candidate"; then continue; fi
        if "$candidate" -c 'import ensurepip, venv' 2>/dev/null; then
            found=$candidate && break
        fi
        bare=${bare:-$candidate}
    done
    is=$("${PYTHON:-python3}" --version 2>&1) || is="nothing that runs here"
    [ -n "$found$bare" ] || fail "Permanence needs Python 3.11 or later, and \
${PYTHON:-python3} is $is. Install \
one (Debian, Ubuntu: apt install python3 python3-venv), or name one: make setup PYTHON=/path/to/python3.13"
    [ -n "$found" ] || fail "$bare cannot make \
virtual environments. Install what is missing (Debian, Ubuntu: \
apt install ${bare##*/}-venv), then run make setup again."
    echo "Making .venv with $("$found" --version) ..."
    rm -rf .venv
    "$found" -m venv .venv
fi

locked=$(sed -n 's/^ *"uv==\([0-9.]*\)".*/\1/p' pyproject.toml)
if ! .venv/bin/uv --version 2>/dev/null | grep -qF "uv $locked "; then
    "$python" -m pip --version >/dev/null 2>&1 || "$python" -m ensurepip >/dev/null
    "$python" -m pip install --quiet --disable-pip-version-check "uv==$locked" \
        || fail "pip could not fetch uv: is this machine connected, and its proxy set?"
fi
# Where a company looks into TLS, its authority is among the system's; pip looks there too.
for bundle in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt; do
    if [ -s "$bundle" ]; then export UV_SYSTEM_CERTS="${UV_SYSTEM_CERTS:-1}"; fi
done
UV_PYTHON_DOWNLOADS=never .venv/bin/uv sync --quiet --locked \
    || fail "The packages of uv.lock could not be installed; the lines above say why."
echo "$PWD" >"$ready"
echo "Ready: .venv holds everything. Next: make up"
