"""Programs that tests start as processes of their own: JAX is set up once a process."""
