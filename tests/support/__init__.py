"""What several tests share: real servers and what fills them."""
