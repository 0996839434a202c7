"""What the commands of `permanence` share: how they answer and find their desk."""
