"""One command a file: each parses, calls the library and returns data."""
