"""People from LDAP or Active Directory: settings, session, rules, worker."""
