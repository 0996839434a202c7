"""Writes every generated page of the reference: `python -m docs.generate`."""

from docs.generate.pages import PAGES


def main() -> None:
    """Write those that changed, and say which."""
    for made in PAGES:
        text = made.page()
        if not made.PAGE.exists() or made.PAGE.read_text(encoding="utf-8") != text:
            made.PAGE.write_text(text, encoding="utf-8")
            print(f"written: {made.PAGE}")


if __name__ == "__main__":
    main()
