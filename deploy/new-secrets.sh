#!/bin/sh
# Makes the secrets docker-compose.yml asks for, once, for your eyes only:
#   deploy/new-secrets.sh            writes .env beside docker-compose.yml
#   deploy/new-secrets.sh FILE       writes FILE
# Keep a copy in a safe place: without PERMANENCE_VAULT_KEY all personal words are lost.
set -eu
file=${1:-$(dirname "$0")/../.env}
if [ -e "$file" ]; then
    echo "$file is there already: its secrets open your data, so it stays as it is." >&2
    exit 1
fi
# A letter first and no other signs: nats-server reads it as part of its configuration.
secret() { printf 's%s' "$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')"; }
umask 077
{
    for name in POSTGRES DESK_INTAKE DESK_PROJECTIONS DESK_SLA_WATCHER DESK_ESCALATION \
        DESK_AUDITOR DESK_ADMIN NATS_INTAKE NATS_PROJECTIONS NATS_SLA_WATCHER \
        NATS_ESCALATION NATS_ADMIN NATS_MONITOR; do
        printf '%s_PASSWORD=%s\n' "$name" "$(secret)"
    done
    printf 'PERMANENCE_VAULT_KEY=%s\n' "$(head -c 32 /dev/urandom | base64)"
} >"$file.new"
mv "$file.new" "$file"
echo "Written: $file. Next: docker compose up"
