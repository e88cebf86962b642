"""The checks behind `scripts/check`: one module an instrument, each shown to fire before it counts."""
