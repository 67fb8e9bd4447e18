"""What a screen does with its session: lines one by one, playing, loading it again."""
