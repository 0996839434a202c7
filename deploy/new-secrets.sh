#!/bin/sh
# Makes the secrets docker-compose.yml asks for, for your eyes only:
#   deploy/new-secrets.sh            writes .env beside docker-compose.yml
#   deploy/new-secrets.sh FILE       writes FILE
# A secret that is there already stays as it is; after an upgrade new ones are added.
# Keep a copy in a safe place: without PERMANENCE_VAULT_KEY all personal words are lost.
set -eu
file=${1:-$(dirname "$0")/../.env}
command -v openssl >/dev/null || { echo "openssl is needed: install it." >&2; exit 1; }
umask 077
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
touch "$folder/all"
[ ! -e "$file" ] || cat "$file" >"$folder/all"

has() { grep -q "^$1=" "$folder/all"; }
add() { has "$1" || printf '%s=%s\n' "$1" "$2" | tee -a "$folder/all" >>"$folder/added"; }
# A letter first and no other signs: nats-server reads it as part of its configuration.
secret() { printf 's%s' "$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')"; }
# The last 32 bytes of a DER file of openssl are the key itself.
raw() { tail -c 32 | od -An -v -tu1; }
# An NKey: its type, 32 bytes and their CRC-16, in base32. Bytes come as decimal numbers.
nkey() {
    awk '
        function exclusive(a, b,    bit, sum) {
            sum = 0
            for (bit = 1; bit < 65536; bit *= 2)
                sum += (int(a / bit) + int(b / bit)) % 2 * bit
            return sum
        }
        function power(n,    product) {
            for (product = 1; n > 0; n--) product *= 2
            return product
        }
        BEGIN { alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567" }
        {
            for (i = 1; i <= NF; i++) {
                bytes[++count] = $i
                crc = exclusive(crc, $i * 256)
                for (k = 0; k < 8; k++)
                    crc = crc < 32768 ? crc * 2 : exclusive((crc - 32768) * 2, 4129)
            }
        }
        END {
            bytes[++count] = crc % 256
            bytes[++count] = int(crc / 256)
            for (i = 1; i <= count; i++) {
                held = held * 256 + bytes[i]
                for (bits += 8; bits >= 5; bits -= 5) {
                    digit = int(held / power(bits - 5))
                    held -= digit * power(bits - 5)
                    printf "%s", substr(alphabet, digit + 1, 1)
                }
            }
            if (bits) printf "%s", substr(alphabet, held * power(5 - bits) + 1, 1)
        }'
}

for name in POSTGRES DESK_INTAKE DESK_PROJECTIONS DESK_SLA_WATCHER DESK_ESCALATION \
    DESK_AUDITOR DESK_ADMIN NATS_INTAKE NATS_PROJECTIONS NATS_SLA_WATCHER \
    NATS_ESCALATION NATS_ADMIN NATS_MONITOR; do
    add "${name}_PASSWORD" "$(secret)"
done
if ! has PERMANENCE_NATS_ISSUER_SEED; then
    # Intake signs with the seed which sources may connect to NATS, which knows the other.
    key="$folder/key"
    openssl genpkey -algorithm ed25519 -outform DER -out "$key"
    add PERMANENCE_NATS_ISSUER_SEED "$( (echo 144 0; raw <"$key") | nkey)"
    openssl pkey -inform DER -in "$key" -pubout -outform DER -out "$key.pub"
    add NATS_ISSUER "$( (echo 0; raw <"$key.pub") | nkey)"
fi
add PERMANENCE_VAULT_KEY "$(head -c 32 /dev/urandom | base64)"

if [ ! -e "$folder/added" ]; then
    echo "$file has every secret already, and stays as it is."
    exit
fi
cp "$folder/all" "$file.new"
mv "$file.new" "$file"
echo "Written: $file. Next: docker compose up"
