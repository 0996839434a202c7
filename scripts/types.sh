#!/bin/sh
# Check the types. All checkouts of a machine share a cache, named by what uv.lock
# installs and by the Python; one at a time, and another has its own in the tree.
set -eu
cd "$(dirname "$0")/.."
bin=.venv/bin

check() {
    # mypy exits with 2 if one of its processes does not start within three seconds;
    # then it runs as one.
    "$bin/mypy" -n auto "$@" || { [ $? -eq 2 ] && "$bin/mypy" "$@"; }
}

named=$("$bin/python" -c '
import hashlib, sys
lock = hashlib.sha256(open("uv.lock", "rb").read()).hexdigest()
print(f"{lock[:16]}-{sys.version_info.major}.{sys.version_info.minor}")')
kept=${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}/permanence/mypy
if mkdir -p "$kept/$named" 2>/dev/null && [ -w "$kept/$named" ] \
    && command -v flock >/dev/null && exec 9>"$kept/$named.lock" && flock -n 9; then
    find "$kept" -mindepth 1 -maxdepth 1 -type d -mtime +30 -exec rm -rf {} +
    touch "$kept/$named"
    check --cache-dir="$kept/$named"
else
    check
fi
