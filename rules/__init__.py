"""When the data says so: rules, sources, checks and episodes."""
