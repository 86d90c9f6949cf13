#!/bin/sh
# One signed request with curl: examples/signed_curl.sh METHOD /api/v1/path [JSON]
# Needs WELLHEAD_KEY and WELLHEAD_SECRET; WELLHEAD_URL when it is not at http://127.0.0.1:8080.
# openssl shows the secret to others on this machine for a moment (ps): for real use, see a client.
set -eu
: "${WELLHEAD_KEY:?is not set}" "${WELLHEAD_SECRET:?is not set}"
method=$1
target=$2
body=${3-}
window=5000
timestamp=$(date +%s%3N) # milliseconds
case $timestamp in *N) timestamp=$(date +%s)000 ;; esac # a date without %N

signature=$(printf '%s' "$timestamp$WELLHEAD_KEY$window$method$target$body" |
    openssl dgst -sha256 -hmac "$WELLHEAD_SECRET" | sed 's/^.* //')

set -- -sS -X "$method" "${WELLHEAD_URL:-http://127.0.0.1:8080}$target" \
    -H "WH-KEY: $WELLHEAD_KEY" -H "WH-TIMESTAMP: $timestamp" \
    -H "WH-RECV-WINDOW: $window" -H "WH-SIGN: $signature"
[ -z "$body" ] || set -- "$@" -H 'Content-Type: application/json' -d "$body"
curl "$@"
echo
