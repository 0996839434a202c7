"""What a policy may say, and hardly means: `config check` asks whether it does."""
