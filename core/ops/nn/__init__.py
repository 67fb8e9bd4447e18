"""Operations of neural networks that are worth a rule of their own."""
