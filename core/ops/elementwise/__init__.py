"""Operations that work element by element, with broadcasting.

The derivative of such an operation is one number per element, so the rule that takes a
gradient backward also takes a tangent forward: multiply by that number.
"""
