"""From the event log to Kafka: recording, numbering, publishing, sending again."""
