"""Mail about being on call: it informs, and never wakes anybody."""
