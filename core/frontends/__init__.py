"""Front ends: how each framework is watched while it runs. None is imported here."""
