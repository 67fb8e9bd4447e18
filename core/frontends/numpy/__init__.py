"""Code written with NumPy alone, watched while it runs.

Arrays are made as a subclass that tells a tape what is done with them; each operation
runs on plain arrays, so that results are the same bit for bit. What the author's own
backward code finds is claimed for what it is the gradient of, by conventions.
"""
