"""Operations that move elements, or pick them: no number is computed, only placed.

Their vjps carry each number of the upstream gradient back to where its element came
from; where an element was picked more than once, the contributions add.
"""
