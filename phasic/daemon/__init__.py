"""One process a node and user before the tiers behind a local cache; knows nothing of traces."""
