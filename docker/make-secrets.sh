#!/bin/sh
# Makes the secrets of compose.yml under docker/secrets/ (never in the tree), each once; needs openssl.
# The directory is private. The files are readable, because the containers' users, who are not you, must read them.
set -eu
umask 077
cd "$(dirname "$0")"
mkdir -p secrets
cd secrets

keep() { # keep NAME VALUE: writes it unless it is there
  [ -e "$1" ] || printf '%s' "$2" > "$1"
}
random() { openssl rand -hex 24; }

for name in POSTGRES_PASSWORD COMMAND_PASSWORD PROJECTOR_PASSWORD \
  MONGO_ROOT_PASSWORD MONGO_PROJECTOR_PASSWORD MONGO_QUERY_PASSWORD MONGO_ALERTS_PASSWORD MONGO_ADMIN_PASSWORD REDIS_PASSWORD \
  ACME_SECRET_KEY ACME_ADMIN_PASSWORD ACME_METRICS_TOKEN GRAFANA_ADMIN_PASSWORD ACME_ALERT_WEBHOOK_SECRET; do
  keep "$name" "$(random)"
done
keep MONGO_KEYFILE "$(openssl rand -base64 576 | tr -d '\n')"
[ -e ACME_JWT_PRIVATE_KEY ] || openssl genpkey -algorithm ed25519 -out ACME_JWT_PRIVATE_KEY
keep ACME_JWT_PUBLIC_KEY "$(openssl pkey -in ACME_JWT_PRIVATE_KEY -pubout)"

postgres() { printf 'postgresql://%s:%s@postgres:5432/acme' "$1" "$(cat "$2")"; }
mongo() { printf 'mongodb://%s:%s@mongo:27017/acme?replicaSet=rs0&authSource=acme&w=majority' "$1" "$(cat "$2")"; }
keep OWNER_DATABASE_URL "$(postgres acme_owner POSTGRES_PASSWORD)"
keep COMMAND_DATABASE_URL "$(postgres acme_command COMMAND_PASSWORD)"
keep PROJECTOR_DATABASE_URL "$(postgres acme_projector PROJECTOR_PASSWORD)"
keep PROJECTOR_MONGODB_URL "$(mongo acme_projector MONGO_PROJECTOR_PASSWORD)"
keep QUERY_MONGODB_URL "$(mongo acme_query MONGO_QUERY_PASSWORD)"
keep ALERTS_MONGODB_URL "$(mongo acme_alerts MONGO_ALERTS_PASSWORD)"
keep ADMIN_MONGODB_URL "$(mongo acme_admin MONGO_ADMIN_PASSWORD)"
keep CELERY_BROKER_URL "redis://:$(cat REDIS_PASSWORD)@redis:6379/0"
# Yours to write, if alerts are to leave the machine; empty: no such channel.
keep ACME_SMTP_URL ""
keep ACME_ALERT_WEBHOOK_URL ""
chmod 444 ./*
