"""Endpoints compatible with other systems: Alerta, Opsgenie, PagerDuty."""
