"""The screens of month reports, and the page behind the link in the mail."""
