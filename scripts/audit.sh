#!/bin/sh
# Lists every Python package of the image in sbom.cdx.json (CycloneDX 1.5), and asks
# osv.dev whether any locked package, those for development too, has a known weakness.
# Exit codes: 0 none is known, 1 some are, 2 nobody could be asked. Arguments are those
# of `uv audit`, such as --service-url for a mirror of osv.dev.
set -eu
cd "$(dirname "$0")/.."
list=${SBOM:-sbom.cdx.json}

.venv/bin/uv export --quiet --locked --no-dev --format cyclonedx1.5 --output-file "$list"
echo "Written: $list."
code=0
.venv/bin/uv audit --preview-features audit-command --locked "$@" || code=$?
case $code in
    0 | 1) ;;
    *) echo "Nothing was audited: the advisory database cannot be had from here." >&2
       echo "Run this where https://api.osv.dev can be reached." >&2
       code=2 ;;
esac
exit "$code"
