"""Previews: who would be told when, by what, if an incident came."""
