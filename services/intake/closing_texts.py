"""The files that a policy names in `closed_in`, read from the folder it lies in."""

from pathlib import Path

from services.intake.cli_desk import text_of
from services.intake.policy.expansion import Files
from shared.domain.policy.closed_days import FILE_BYTES_MAX
from shared.domain.policy.document import Policy


def texts_beside(file: Path, policy: Policy, *, as_json: bool) -> Files:
    """Return the texts of the files by name; end with a sentence where one is wrong.

    A policy that comes through a pipe lies in the working directory.
    """
    folder = Path() if str(file) == "-" else file.parent
    names = {
        name for calendar in policy.calendars.values() for name in calendar.closed_in
    }
    return {
        name: text_of(folder / name, FILE_BYTES_MAX, as_json=as_json)
        for name in sorted(names)
    }
