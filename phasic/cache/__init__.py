"""Stores bytes by key; knows nothing of traces."""
