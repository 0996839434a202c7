"""PostgreSQL: connections, migrations, roles, partitions, leases, its clock."""
