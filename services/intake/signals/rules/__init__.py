"""The rules that turn a signal into changes of incidents, in stages. Pure."""
