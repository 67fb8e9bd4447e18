"""The classic mistakes of hand-written backward passes, made on purpose."""
