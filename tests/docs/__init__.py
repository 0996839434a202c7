"""The pages are true: generated ones are fresh, links lead somewhere, commands run."""
