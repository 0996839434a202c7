"""The screens for auditors."""
