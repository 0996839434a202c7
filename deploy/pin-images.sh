#!/bin/sh
# Pins each image of compose to what its tag is now: a tag can be moved, a digest cannot.
#   deploy/pin-images.sh             asks the registries, writes .env
#   deploy/pin-images.sh FILE        writes FILE
# Run it again after an upgrade, or to take a newer build of the same tags.
set -eu
folder=$(CDPATH='' cd -- "$(dirname "$0")/.." && pwd)
file=${1:-$folder/.env}
command -v docker >/dev/null || { echo "docker is needed: install it." >&2; exit 1; }
umask 077
temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT

grep -ho '${[A-Z]*_IMAGE:-[^}]*}' "$folder/docker-compose.yml" \
    "$folder/deploy/compose.tls.yaml" | sort -u >"$temporary/images"
while read -r image; do
    name=${image#??}
    name=${name%%:-*}
    tag=${image#*:-}
    tag=${tag%?}
    # In JSON: some versions of buildx print the whole manifest for the bare field.
    digest=$(docker buildx imagetools inspect --format '{{json .Manifest.Digest}}' "$tag" |
        tr -d '" \n')
    # Exactly one digest, or nothing is written.
    if ! printf '%s' "$digest" | grep -Eqx 'sha256:[0-9a-f]{64}'; then
        echo "$tag: docker told no digest; $file stays as it is." >&2
        exit 1
    fi
    printf '%s=%s@%s\n' "$name" "$tag" "$digest" >>"$temporary/pinned"
done <"$temporary/images"

touch "$temporary/all"
[ ! -e "$file" ] || grep -v '^[A-Z]*_IMAGE=' "$file" >"$temporary/all" || true
cat "$temporary/pinned" >>"$temporary/all"
cp "$temporary/all" "$file.new"
mv "$file.new" "$file"
cat "$temporary/pinned"
echo "Written: $file. Next: docker compose up --build --detach --wait"
