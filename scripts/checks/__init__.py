"""The checks behind `scripts/check`, each shown to fire before its silence counts."""
