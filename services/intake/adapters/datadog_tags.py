"""Datadog's tags: `env:prod,team:data` in one text, or a list of such."""

from services.intake.adapters.fields import text


def tags_of(said: object) -> list[str]:
    """Return the tags that a text or a list names, in its order."""
    listed = said if isinstance(said, list) else [said]
    words = ",".join(filter(None, (text(each) for each in listed))).split(",")
    return [tag for word in words if (tag := word.strip())]


def scope_of(said: object) -> str:
    """Return the tags of a group as one text, whatever their order."""
    return ",".join(sorted(set(tags_of(said))))


def labels_of(said: object) -> dict[str, str]:
    """Return tags as labels; the values of a name that comes again stand together."""
    labels: dict[str, list[str]] = {}
    for tag in tags_of(said):
        name, _, value = tag.partition(":")
        labels.setdefault(name, []).append(value)
    return {name: ",".join(values) for name, values in labels.items()}
