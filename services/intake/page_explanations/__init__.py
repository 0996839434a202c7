"""Questions about the pages of people, recorded before they are answered."""
