"""What the screens of on call show, and what their forms send."""
