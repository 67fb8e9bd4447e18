"""What a step and its formula say in words."""
