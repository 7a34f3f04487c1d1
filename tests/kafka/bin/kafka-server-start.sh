#!/bin/sh
# Apache Kafka's script of this name, for the jars in ../lib. exec: java has this pid, so SIGTERM and kill -9 reach it.
exec java ${KAFKA_HEAP_OPTS:--Xmx256m} ${KAFKA_JVM_PERFORMANCE_OPTS:-} -Dlog4j2.level=WARN \
  -cp "$(dirname "$0")/../lib/*" kafka.Kafka "$@"
