#!/usr/bin/env bash
# Kafka's own tool, asked about the brokers of the test.
set -euo pipefail
exec "$PROJECT/tests/kafka/run" tool org.apache.kafka.tools.consumer.group.ConsumerGroupCommand "${@/kafka:9092/$(cat "$ROOT/kafka.addresses")}"
