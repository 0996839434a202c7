"""On-call schedules: who is on call, was and will be, and what people changed."""
