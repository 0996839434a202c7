"""The SLA watcher on a real PostgreSQL: on time, in company, behind, in trouble."""
