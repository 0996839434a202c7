"""References on the command line: one that is none is said so, with an example."""

from shared.command_line.answers import Exit, refused
from shared.domain.identifiers import is_incident_ref


def demand_ref(written: str, *, as_json: bool) -> None:
    """End with a sentence if `written` does not have the form of `INC-000042`."""
    if not is_incident_ref(written):
        sentence = (
            f"`{written}` is not the reference of an incident: write all six digits, "
            "such as INC-000042"
        )
        raise refused(as_json, sentence, Exit.INVALID)
