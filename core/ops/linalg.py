"""Sums of products: matrix products and everything else that `einsum` can say.

All of them are contractions: the result is a sum, over the indices that it does not
have, of products of one element of each operand. The derivative by one factor is the
product of the others, so a contribution is the same kind of sum with the upstream
gradient in the place of the operand.
"""

from __future__ import annotations

import math
import re
import string
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from ..base.text import counted
from .shape.joining import same_kind
from .table import (
    Array,
    Case,
    Cost,
    Form,
    Op,
    Parameter,
    Rule,
    Shape,
    Value,
    checks,
    linear,
)
from .table.cases import FACTOR
from .table.wide import DOUBLE, SINGLE, summed, surely_finite, wide_result

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_LETTERS: Final = string.ascii_letters


# ------------------------------------------------------------------- contractions


class Contribution(NamedTuple):
    """What one operand of a contraction receives, as a contraction of its own.

    `subscripts` are those of einsum for the upstream gradient and the other operands.
    `own` are the operand's indices, each once. `missing` are those of them that neither
    the result nor another operand has: every element along them meets the same factors.
    """

    subscripts: str
    own: str
    missing: str


def contribution(
    subscripts: str, shapes: Sequence[Shape], argument: int
) -> Contribution:
    """Return how the gradient of one operand is made.

    >>> contribution("ij,jk->ik", [(2, 3), (3, 4)], 0).subscripts
    'ik,jk->ij'
    """
    terms, output = _terms(subscripts)
    others = [k for k in range(len(terms)) if k != argument]
    sizes = _sizes(terms, shapes)
    rest = _sizes([terms[k] for k in others], [shapes[k] for k in others])
    own = dict(zip(terms[argument], shapes[argument], strict=True))
    # An axis of length 1 that was repeated is summed over, as if it were not there.
    known = "".join(
        label
        for label, size in own.items()
        if size == sizes[label] and (label in output or rest.get(label) == size)
    )
    return Contribution(
        f"{','.join([output, *(terms[k] for k in others)])}->{known}",
        "".join(own),
        "".join(label for label in own if label not in known),
    )


def _terms(subscripts: str) -> tuple[list[str], str]:
    inputs, output = subscripts.split("->")
    return inputs.split(","), output


def _sizes(terms: Sequence[str], shapes: Sequence[Shape]) -> dict[str, int]:
    """Return the length of each index; a length of 1 broadcasts."""
    sizes: dict[str, int] = {}
    for term, shape in zip(terms, shapes, strict=True):
        for label, size in zip(term, shape, strict=True):
            if sizes.get(label, 1) == 1:
                sizes[label] = size
    return sizes


def _cost(subscripts: Callable[..., str]) -> Callable[..., Cost]:
    def cost(*shapes: Shape, **attributes: Any) -> Cost:
        terms, output = _terms(subscripts(*shapes, **attributes))
        sizes = _sizes(terms, shapes)
        products = math.prod(sizes.values())
        if len(shapes) <= 2:
            return Cost(products)
        # More than two factors are multiplied element by element, which is slow, and
        # all at once in numbers of twice the length, where a product leaves the range.
        made = math.prod(sizes[label] for label in output)
        room = 2 * (made + sum(map(math.prod, shapes)))
        return Cost((len(shapes) - 1) * products, room, slowness=5)

    return cost


def _einsum_of(*operands: Array, subscripts: str) -> Array:
    return np.asarray(np.einsum(subscripts, *operands, optimize=True))


_sum_of_products: Final = summed(_einsum_of)
_sum_of_long_products: Final = wide_result(_einsum_of)


def _matmul(a: Array, b: Array) -> Array:
    if a.ndim == b.ndim == 2 and (a.dtype is DOUBLE or a.dtype is SINGLE):
        found = np.matmul(a, b)  # as below, with less to ask
        if found.dtype is not SINGLE or surely_finite(found):
            return found
    return _stacked(a, b)


@summed
def _stacked(a: Array, b: Array) -> Array:
    """Return a @ b; a stack by one matrix as one product, not as one for each of it.

    Each product starts threads of BLAS, and on a busy machine each waits for them.
    """
    if b.ndim != 2 or a.ndim < 3:
        return np.matmul(a, b)
    rows = a.reshape(math.prod(a.shape[:-1]), a.shape[-1])
    return np.matmul(rows, b).reshape(*a.shape[:-1], b.shape[-1])


def _contract(operands: Sequence[Value], subscripts: str) -> Array:
    # Of three factors, two can have a product out of range that the third brings back.
    of_two = len(operands) <= 2
    function = _sum_of_products if of_two else _sum_of_long_products
    return np.asarray(function(*same_kind(operands), subscripts=subscripts))


def _contract_vjp(
    g: Value, operands: Sequence[Value], subscripts: str, argument: int
) -> Array:
    shapes = [np.shape(operand) for operand in operands]
    way = contribution(subscripts, shapes, argument)
    others = [operand for k, operand in enumerate(operands) if k != argument]
    part = _contract([g, *others], way.subscripts)
    part = np.expand_dims(part, [way.own.index(label) for label in way.missing])
    if len(way.own) == len(shapes[argument]):
        return np.broadcast_to(part, shapes[argument])
    # An index that stands twice reads a diagonal; einsum gives a view to write there.
    whole = np.zeros(shapes[argument], part.dtype)
    diagonal = np.einsum(f"{_terms(subscripts)[0][argument]}->{way.own}", whole)
    diagonal[...] = part
    return whole


# -------------------------------------------------------------------------- words


def _in_indices(subscripts: str, factors: Sequence[str]) -> str:
    """Return a contraction in symbols: `Σ_j a[i,j] · b[j,k]`."""
    terms, output = _terms(subscripts)
    over = "".join(dict.fromkeys(k for k in "".join(terms) if k not in output))
    product = " · ".join(map(_element, factors, terms))
    return f"Σ_{over} {product}" if over else product


def _element(name: str, term: str) -> str:
    return f"{name}[{','.join(term)}]" if term else name


def _contract_form(
    subscripts: str, names: Sequence[str], shapes: Sequence[Shape], argument: int
) -> Form:
    way = contribution(subscripts, shapes, argument)
    terms, output = _terms(subscripts)
    others = [k for k in range(len(terms)) if k != argument]
    met = _sizes([terms[k] for k in others], [shapes[k] for k in others])
    every = _sizes(terms, shapes)
    met |= {label: every[label] for label in output}
    local = " · ".join(_element(names[k], terms[k]) for k in others)
    factors = ["{g}", *(names[k] for k in others)]
    return Form(
        local or "1",
        _in_indices(way.subscripts, factors),
        _contract_code(way, terms[argument], shapes[argument], factors),
        "an element is a factor of each product that has its indices: "
        "sum upstream times the other factors over all of those",
        work=(0, 0, len(others) * math.prod(met.values())),
    )


def _contract_code(
    way: Contribution, term: str, shape: Shape, factors: Sequence[str]
) -> str:
    inputs, known = way.subscripts.split("->")
    free = iter(label for label in _LETTERS if label not in inputs + term)
    factors = list(factors)
    target = ""
    for place, (label, size) in enumerate(zip(term, shape, strict=True)):
        new = label
        if label in term[:place]:
            new = next(free)
            inputs += f",{target[term.index(label)]}{new}"
            factors.append(f"np.eye({size})")
        elif label not in known:
            new = next(free)
            inputs += f",{new}"
            factors.append(f"np.ones({size})")
        target += new
    return f'np.einsum("{inputs}->{target}", {", ".join(factors)})'


# ---------------------------------------------------------------- matrix products


def _matmul_shape(a: Shape, b: Shape) -> Shape:
    if not a or not b:
        raise ValueError(
            f"matmul: {a} @ {b}: a single number has no matrix product; write a * b"
        )
    inner = b[0] if len(b) == 1 else b[-2]
    if a[-1] != inner:
        raise ValueError(
            f"matmul: {a} @ {b}: the inner sizes {a[-1]} and {inner} differ"
        )
    try:
        stacks = np.broadcast_shapes(a[:-2], b[:-2])
    except ValueError:
        raise ValueError(
            f"matmul: {a} @ {b}: the stacks {a[:-2]} and {b[:-2]} do not broadcast"
        ) from None
    return (*stacks, *a[-2:-1], *(b[-1:] if len(b) > 1 else ()))


def _matmul_subscripts(a: Shape, b: Shape) -> str:
    # i and k are the rows and columns of the result, j is what is summed over.
    stack = "abcdefgh" + _LETTERS[11:]
    one, two = max(0, len(a) - 2), max(0, len(b) - 2)
    deep = max(one, two)
    row, column = "i"[: len(a) - 1], "k"[: len(b) - 1]
    left, right = stack[deep - one : deep], stack[deep - two : deep]
    return f"{left}{row}j,{right}j{column}->{stack[:deep]}{row}{column}"


def _turned(x: Array) -> Array:
    return x.swapaxes(-1, -2) if x.ndim > 1 else x


def _plain(one: Array, other: Array, g: Array) -> bool:
    """Tell whether both are stacks of matrices, of which `one` is not broadcast."""
    return one.ndim == g.ndim > 1 and other.ndim > 1 and one.shape[:-2] == g.shape[:-2]


def _matmul_by_a(g: Array, _y: Array, a: Array, b: Array) -> Array:
    if a.ndim == b.ndim == 2:
        return g @ b.T if g.dtype is DOUBLE else _matmul(g, b.T)
    if _plain(a, b, g):
        return _matmul(g, _turned(b))
    return _contract_vjp(g, (a, b), _matmul_subscripts(a.shape, b.shape), 0)


def _matmul_by_b(g: Array, _y: Array, a: Array, b: Array) -> Array:
    if a.ndim == b.ndim == 2:
        return a.T @ g if g.dtype is DOUBLE else _matmul(a.T, g)
    if _plain(b, a, g):
        return _matmul(_turned(a), g)
    return _contract_vjp(g, (a, b), _matmul_subscripts(a.shape, b.shape), 1)


def _other_of_a(_y: Array, _a: Value, b: Value) -> Array:
    return _turned(np.asarray(b))


def _other_of_b(_y: Array, a: Value, _b: Value) -> Array:
    return _turned(np.asarray(a))


_BY_A: Final = Form(
    "{b}ᵀ",
    "{g} {b}ᵀ",
    "{g} @ {b}.T",
    "element [i,j] of the left factor meets row j of the right one, in every column k "
    "of the result; the sum over k of upstream[i,k] · right[j,k] runs along rows of "
    "both, so the right one is transposed",
)
_BY_B: Final = Form(
    "{a}ᵀ",
    "{a}ᵀ {g}",
    "{a}.T @ {g}",
    "element [j,k] of the right factor meets column j of the left one, in every row i "
    "of the result; the sum over i of left[i,j] · upstream[i,k] runs along columns of "
    "both, so the left one is transposed",
)
_BY_ROW: Final = Form(
    "{b}",
    "{g} {b}ᵀ",
    "np.outer({g}, {b})",
    "row i of the matrix makes element i of the result alone, with the vector as its "
    "factors: upstream as a column times the vector as a row",
)
_BY_COLUMN: Final = Form(
    "{a}",
    "{a}ᵀ {g}",
    "np.outer({a}, {g})",
    "column k of the matrix makes element k of the result alone, with the vector as "
    "its factors: the vector as a column times upstream as a row",
)
_BY_SCALE: Final = "the derivative of a product by one factor is the other factor"


def _product_wording(
    subscripts: Callable[[Shape, Shape], str],
) -> Callable[[Shape, Shape], Mapping[str, Any]]:
    def wording(a: Shape, b: Shape) -> Mapping[str, Any]:
        if len(a) == len(b) == 2:
            return {}
        if len(a) == len(b) == 1:
            by_a = Form("{b}", "{g} · {b}", "{g} * {b}", _BY_SCALE)
            by_b = Form("{a}", "{g} · {a}", "{g} * {a}", _BY_SCALE)
            return {"forms": (by_a, by_b)}
        if (len(a), len(b)) == (2, 1):
            return {"forms": (_BY_ROW, _BY_B)}
        if (len(a), len(b)) == (1, 2):
            return {"forms": (_BY_A, _BY_COLUMN)}
        sum_of = subscripts(a, b)
        forms = [_contract_form(sum_of, ("{a}", "{b}"), (a, b), k) for k in (0, 1)]
        return {"forms": tuple(forms)}

    return wording


def _dot_shape(a: Shape, b: Shape) -> Shape:
    if not a or not b:
        return a or b
    inner = b[0] if len(b) == 1 else b[-2]
    if a[-1] != inner:
        raise ValueError(
            f"dot: {a} and {b}: the inner sizes {a[-1]} and {inner} differ"
        )
    return (*a[:-1], *b[:-2], *(b[-1:] if len(b) > 1 else ()))


def _dot_subscripts(a: Shape, b: Shape) -> str:
    one, two = _LETTERS[: len(a)], _LETTERS[len(a) : len(a) + len(b)]
    if not a or not b:
        return f"{one},{two}->{one}{two}"
    inner = two[0] if len(b) == 1 else two[-2]
    two = two.replace(inner, one[-1])
    return f"{one},{two}->{one[:-1]}{two.replace(one[-1], '')}"


def _plain_dot(a: Array, b: Array) -> Array:
    return np.asarray(np.dot(a, b))[()]


_finite_dot: Final = summed(_plain_dot)


def _dot(a: Value, b: Value) -> Array:
    # A literal beside an array must not widen it, as it would in np.dot.
    a, b = same_kind((a, b))
    if not np.ndim(a) or not np.ndim(b):
        # BLAS takes 0 times NaN for 0.
        return np.multiply(a, b)
    return _finite_dot(a, b)


def _outer_shape(a: Shape, b: Shape) -> Shape:
    if len(a) != 1 or len(b) != 1:
        raise ValueError(
            f"outer: {a} and {b}: both have to be vectors; ravel makes one of a matrix"
        )
    return a + b


def _outer_subscripts(_a: Shape, _b: Shape) -> str:
    return "i,j->ij"


def _factor_rule(subscripts: Callable[[Shape, Shape], str], argument: int) -> Rule:
    def vjp(g: Array, _y: Array, a: Value, b: Value) -> Array:
        terms = subscripts(np.shape(a), np.shape(b))
        return _contract_vjp(g, (a, b), terms, argument)

    return vjp


# ------------------------------------------------------------------------- einsum


def expand(subscripts: str, *shapes: Shape) -> str:
    """Return subscripts with the ellipsis and the output spelled out.

    Raises `ValueError` where they are not subscripts of einsum, or do not fit `shapes`.

    >>> expand("...ij,jk", (7, 2, 3), (3, 4))
    'aij,jk->aik'
    """
    text = subscripts.replace(" ", "")
    if not re.fullmatch(r"[A-Za-z.,]*(->[A-Za-z.]*)?", text):
        raise ValueError(
            f"einsum: {subscripts!r} is not made of letters, commas, '...' and one '->'"
        )
    inputs, arrow, output = text.partition("->")
    terms = inputs.split(",")
    if len(terms) != len(shapes):
        raise ValueError(
            f"einsum: {subscripts!r} has {counted(len(terms), 'term')} "
            f"for {counted(len(shapes), 'operand')}"
        )
    free = [label for label in _LETTERS if label not in text]
    dots = [_dots(term, shape) for term, shape in zip(terms, shapes, strict=True)]
    deep = max(dots)
    if deep > len(free):
        raise ValueError(f"einsum: {subscripts!r} needs more than {len(_LETTERS)} axes")
    stack = "".join(free[:deep])
    terms = [
        term.replace("...", stack[deep - count :])
        for term, count in zip(terms, dots, strict=True)
    ]
    if not arrow:
        every = "".join(terms)
        once = sorted(k for k in set(every) if every.count(k) == 1 and k not in stack)
        output = "..." + "".join(once)
    _check_output(output, terms, stack)
    _check_sizes(terms, shapes)
    return f"{','.join(terms)}->{output.replace('...', stack)}"


def _dots(term: str, shape: Shape) -> int:
    """Return the number of axes that the ellipsis of a term stands for."""
    letters = term.replace("...", "", 1)
    if "." in letters:
        raise ValueError(f"einsum: {term!r} has a '.' that is not part of one '...'")
    count = len(shape) - len(letters)
    if count < 0 or (count and letters == term):
        raise ValueError(
            f"einsum: {term!r} names {counted(len(letters), 'axis', 'axes')}, "
            f"{shape} has {len(shape)}"
        )
    return count


def _check_output(output: str, terms: Sequence[str], stack: str) -> None:
    letters = output.replace("...", "", 1)
    for label in letters:
        if letters.count(label) > 1 or not any(label in term for term in terms):
            raise ValueError(
                f"einsum: the output {output!r} may have each index of the operands "
                f"once, but {label!r} is not one of them or stands twice"
            )
    if stack and letters == output:
        raise ValueError(
            f"einsum: the output {output!r} has to keep the axes of '...' in front"
        )


def _check_sizes(terms: Sequence[str], shapes: Sequence[Shape]) -> None:
    seen: dict[str, tuple[int, Shape]] = {}
    for term, shape in zip(terms, shapes, strict=True):
        own: dict[str, int] = {}
        for label, size in zip(term, shape, strict=True):
            other, where = seen.get(label, (1, shape))
            along = own.setdefault(label, size)
            # Lengths of 1 broadcast between operands, but not along a diagonal.
            if along != size or (other != size and 1 not in {other, size}):
                wrong = other if along == size else along
                raise ValueError(
                    f"einsum: {label!r} is {wrong} in {where} and {size} in {shape}"
                )
            if other == 1:
                seen[label] = (size, shape)


def _einsum_shape(*shapes: Shape, subscripts: str) -> Shape:
    terms, output = _terms(expand(subscripts, *shapes))
    sizes = _sizes(terms, shapes)
    return tuple(sizes[label] for label in output)


def _spelled(operands: Sequence[Value], subscripts: str) -> str:
    return expand(subscripts, *map(np.shape, operands))


def _einsum(*operands: Value, subscripts: str) -> Array:
    return _contract(operands, _spelled(operands, subscripts))


def _einsum_vjp(
    g: Array, _y: Array, *operands: Value, subscripts: str, argument: int
) -> Array:
    return _contract_vjp(g, operands, _spelled(operands, subscripts), argument)


def _einsum_subscripts(*shapes: Shape, subscripts: str) -> str:
    return expand(subscripts, *shapes)


def _einsum_wording(*shapes: Shape, subscripts: str) -> Mapping[str, Any]:
    spelled = expand(subscripts, *shapes)
    names = [f"{{operands{k}}}" for k in range(len(shapes))]
    return {
        "symbol": _in_indices(spelled, names),
        "code": f'np.einsum("{spelled}", {{operands}})',
        "forms": tuple(
            _contract_form(spelled, names, shapes, k) for k in range(len(shapes))
        ),
    }


# ----------------------------------------------------------------------- the rows


def _product(
    name: str,
    forward: Callable[[Any, Any], Array],
    shape: Callable[[Shape, Shape], Shape],
    subscripts: Callable[[Shape, Shape], str],
    symbol: str,
    code: str,
    forms: tuple[Form, Form],
    summary: str,
    vjps: tuple[Rule, Rule] | None = None,
    **columns: Any,
) -> Op:
    """Return the row of a product of two operands; `columns` are further ones."""
    return Op(
        name=name,
        operands=("a", "b"),
        forward=forward,
        shape=shape,
        vjps=vjps or (_factor_rule(subscripts, 0), _factor_rule(subscripts, 1)),
        jvps=(linear(forward, 0), linear(forward, 1)),
        kind="contract",
        symbol=symbol,
        code=code,
        forms=forms,
        summary=summary,
        analytic=True,
        subscripts=subscripts,
        cost=_cost(subscripts),
        cases=(FACTOR,),
        **columns,
    )


ROWS: tuple[Op, ...] = (
    _product(
        "matmul",
        _matmul,
        _matmul_shape,
        _matmul_subscripts,
        "{a} @ {b}",
        "{a} @ {b}",
        (_BY_A, _BY_B),
        "The matrix product; with more axes, one product for each matrix of a stack.",
        (_matmul_by_a, _matmul_by_b),
        shown_local=(_other_of_a, _other_of_b),
        wording=_product_wording(_matmul_subscripts),
        written="{a} @ {b}",
        transposes=True,
    ),
    _product(
        "dot",
        _dot,
        _dot_shape,
        _dot_subscripts,
        "{a} · {b}",
        "np.dot({a}, {b})",
        (_BY_A, _BY_B),
        "The scalar product of vectors, and its kin for other shapes.",
        shown_local=(_other_of_a, _other_of_b),
        wording=_product_wording(_dot_subscripts),
        transposes=True,
    ),
    _product(
        "outer",
        np.multiply.outer,
        _outer_shape,
        _outer_subscripts,
        "{a} {b}ᵀ",
        "np.outer({a}, {b})",
        (
            Form(
                "{b}",
                "{g} {b}",
                "{g} @ {b}",
                "element i makes row i of the result, with the other vector as factors",
            ),
            Form(
                "{a}",
                "{g}ᵀ {a}",
                "{g}.T @ {a}",
                "element j makes column j of the result, with the other vector as "
                "factors",
            ),
        ),
        "All products of an element of one vector and one of another.",
    ),
    Op(
        name="einsum",
        operands=("operands",),
        forward=_einsum,
        shape=_einsum_shape,
        vjps=(_einsum_vjp,),
        jvps=(linear(_einsum),),
        kind="contract",
        symbol="einsum({operands})",
        code="np.einsum({subscripts}, {operands})",
        forms=(
            Form(
                "the product of the other operands",
                "the same sum, with {g} in the place of operand {argument}",
                "{g}",
            ),
        ),
        summary="A sum of products over the indices that the output does not have.",
        analytic=True,
        parameters=(Parameter("subscripts", checks.text),),
        variadic=True,
        order=("subscripts", "operands"),
        subscripts=_einsum_subscripts,
        cost=_cost(_einsum_subscripts),
        wording=_einsum_wording,
        cases=(Case("flat", "zero factor"),),
    ),
)
