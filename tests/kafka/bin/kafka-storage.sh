#!/bin/sh
# Apache Kafka's script of this name, for the jars in ../lib.
exec java -Xmx128m ${KAFKA_JVM_PERFORMANCE_OPTS:-} -cp "$(dirname "$0")/../lib/*" kafka.tools.StorageTool "$@"
