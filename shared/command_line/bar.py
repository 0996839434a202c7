"""A progress bar on standard error, for who watches: answers stay clean, and logs."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn


@contextmanager
def bar(
    stages: Mapping[str, str], *, hidden: bool
) -> Iterator[Callable[[str, int, int], None]]:
    """Give what moves the bar of a stage: its key, how much is done, of how much."""
    columns = ("{task.description}", BarColumn(), MofNCompleteColumn())
    console = Console(stderr=True)
    with Progress(
        *columns,
        TimeElapsedColumn(),
        console=console,
        disable=hidden or not console.is_terminal,
    ) as progress:
        tasks = {
            stage: progress.add_task(text, total=None, visible=False)
            for stage, text in stages.items()
        }

        def told(stage: str, done: int, of: int) -> None:
            progress.update(tasks[stage], completed=done, total=of, visible=True)

        yield told
