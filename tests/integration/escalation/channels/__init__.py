"""What leaves the desk, against a real mail server and a real receiver."""
