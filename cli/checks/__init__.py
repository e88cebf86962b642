"""What `phasic doctor` looks at: an area a module, each a function that yields findings."""
