#!/usr/bin/env bash
# Registers a service twice with a running coordinator, and shows that the second time changes nothing.
#
#   npm start                    (in another terminal)
#   examples/quick-check.sh [URL]
set -euo pipefail
url="${1:-http://localhost:3000}"

register() {
  curl --silent --show-error --write-out '\n%{http_code}\n' -X POST "$url/register" \
    -H "Content-Type: application/json" \
    -d '{
      "serviceName": "test",
      "version": "1.0.0",
      "endpoint": "http://test:3000",
      "healthCheck": "/health"
    }'
}

echo '== Register'
first="$(register)"
echo "$first"

echo '== Register the same again: same id, same revision, "changed": false'
second="$(register)"
echo "$second"

echo '== What is registered'
curl --silent --show-error "$url/services"
echo

field() { sed -n "s/.*\"$2\":\"\{0,1\}\([^\",}]*\).*/\1/p" <<<"$1" | head -n 1; }
for name in serviceId revision; do
  if [ -z "$(field "$first" "$name")" ] || [ "$(field "$first" "$name")" != "$(field "$second" "$name")" ]; then
    echo "quick check failed: $name is not the same" >&2
    exit 1
  fi
done
if [ "$(tail -n 1 <<<"$second")" != 200 ] || [ "$(field "$second" changed)" != false ]; then
  echo 'quick check failed: the second registration changed something' >&2
  exit 1
fi
echo 'quick check passed'
