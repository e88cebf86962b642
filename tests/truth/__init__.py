"""Expected values made without phasic: cases and their loader."""
