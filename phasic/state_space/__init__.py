"""State spaces: rules, manual building and matrices become frozen graphs in the engine."""
