"""What leaves the screen: pages, recordings, pictures."""
