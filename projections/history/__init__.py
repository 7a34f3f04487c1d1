"""Lag over time: sampled by Celery, kept in MongoDB, shown as a chart in the admin."""
