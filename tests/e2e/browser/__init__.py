"""The screens, used in a real Chromium: one desk and one browser for all."""
