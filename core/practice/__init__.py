"""What asks a person, and judges what the person says."""
