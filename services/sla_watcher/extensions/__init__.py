"""Extensions of targets that users agree to, and the attribution of breaches."""
