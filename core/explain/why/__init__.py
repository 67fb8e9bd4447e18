"""Why a number is zero, NaN or infinite, or why there is none."""
