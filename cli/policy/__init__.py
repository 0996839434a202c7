"""What `permanence config` does besides reading and applying a policy."""
