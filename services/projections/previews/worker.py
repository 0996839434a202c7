"""Renders previews in processes of their own, each with a limit."""

from services.projections.limited_process import LimitedProcesses
from services.projections.previews.renderer import ExitCode
from shared.http.problem_details import HttpError

SECONDS_MAX = 15.0
"""How long one preview may take, with the start of its process."""


class PreviewWorker:
    """Renders previews; belongs to one event loop."""

    def __init__(self) -> None:
        self._processes = LimitedProcesses(
            "services.projections.previews.renderer", SECONDS_MAX
        )

    async def preview(self, original: bytes) -> bytes:
        """Return an image, encoded again as PNG. Raises `HttpError` 422 or 503."""
        code, written = await self._processes.outcome(original)
        match code:
            case ExitCode.DONE:
                return written
            case ExitCode.NO_IMAGE:
                raise HttpError(
                    422,
                    "the file is damaged or not an image: download it instead",
                    code="no_image",
                )
            case _:  # also if a limit of the process has ended it
                raise HttpError(
                    422,
                    "the image has too many pixels for a preview: download it instead",
                    code="too_many_pixels",
                )
