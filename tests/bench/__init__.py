"""Benchmarks: one file per measure of ../shared/design/measures.md, each a ratio of two things run in turn."""
