"""Endpoints that senders of other systems already know: Alerta, Opsgenie, PagerDuty."""
