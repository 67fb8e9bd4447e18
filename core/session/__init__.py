"""What a session remembers and understands: places, expressions, stops, scripts."""
