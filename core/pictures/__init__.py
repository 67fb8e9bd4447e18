"""What a picture needs, as numbers: layout, folds, curves, flow."""
