"""Rebuilding a read model without downtime: another generation is filled, compared, and goes live with one change."""
