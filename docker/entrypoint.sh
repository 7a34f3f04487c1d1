#!/bin/sh
# Secrets come as files, ACME reads variables: every file in the directory becomes the variable of its name.
set -eu
for secret in "${ACME_SECRETS:-/run/secrets}"/*; do
  [ -f "$secret" ] || continue
  name=$(basename "$secret")
  value=$(cat "$secret")
  export "$name=$value"
done
exec "$@"
