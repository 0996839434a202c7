"""LDAP servers for tests."""
