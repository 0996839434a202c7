"""References that a record is linked to: each once, in the order of linking."""


def added(refs: tuple[str, ...], ref: str) -> tuple[str, ...]:
    """Return `refs` with `ref`, which is there once."""
    return refs if ref in refs else (*refs, ref)


def removed(refs: tuple[str, ...], ref: str) -> tuple[str, ...]:
    """Return `refs` without `ref`."""
    return tuple(each for each in refs if each != ref)
