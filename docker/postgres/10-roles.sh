#!/bin/sh
# Runs once, when the data directory is made. The passwords are secrets of the postgres service.
set -eu
psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
  --set command_password="$(cat /run/secrets/COMMAND_PASSWORD)" \
  --set projector_password="$(cat /run/secrets/PROJECTOR_PASSWORD)" \
  --file /etc/acme/roles.sql
