"""What an operation is: one row of a table, whose rules are mathematics only.

The engine does the plumbing once, for all operations: it reduces a contribution over
the broadcast axes, checks its shape, casts it to the operand's dtype and accumulates
it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final, Literal, NamedTuple

import numpy as np

Shape = tuple[int, ...]
Array = np.ndarray[Any, np.dtype[Any]]
# What a run holds for a node: an array, or a number for a scalar. Literals of a program
# are plain Python numbers, so that NumPy's rules for weak scalars apply to them.
Value = Array | np.generic | float | int | bool
Rule = Callable[..., Any]
Attributes = Mapping[str, Any]

NO_ATTRIBUTES: Final[Attributes] = MappingProxyType({})
REQUIRED: Final = object()

Kind = Literal["elementwise", "contract", "reduce", "move", "gather", "block"]
# Which elements of the result can depend on one element of an operand:
#   elementwise  those that stand at the same place, after broadcasting
#   contract     a sum of products; `subscripts` says over which indices
#   reduce       those whose reduced slice holds the element
#   move         exact copies, at other places
#   gather       exact copies, at places that an index chooses
#   block        any element of a slice or a window (softmax, convolution, cumsum)


class Parameter(NamedTuple):
    """An argument of an operation that is fixed when the program is read.

    `check` returns what is allowed when a value is wrong, and nothing when it is right.
    """

    name: str  # the keyword in a call
    check: Callable[[Any], str]
    default: Any = REQUIRED  # `REQUIRED` where a call has to give it


class Form(NamedTuple):
    """The derivative by one operand, in words.

    The templates know `{g}` (the upstream gradient), `{y}` (the result), the names of
    the operands and those of the parameters; `statement` knows `{into}`, too, the
    operand's gradient.
    """

    local: str  # the local derivative of one element: "{b}", "{y} · (1 − {y})"
    product: str  # the contribution in matrix form: "{g} ∘ {b}", "{g} {b}ᵀ"
    code: str  # the contribution in NumPy: "{g} * {b}", "{g} @ {b}.T"
    why: str = ""  # one sentence for a reader who asks why
    statement: str = ""  # what a person would write; "" for "{into} += " and `code`
    # How many multiplications, divisions and functions the product takes: for each
    # number of the operand, or of an elementwise result, for each of its slices, and
    # once. None for one product each; of what adds, of a sum of products and of what
    # multiplies nothing, for as many as the result takes.
    work: tuple[int, ...] | None = None


class Cost(NamedTuple):
    """What an operation takes beside its operands and its result, found by shapes.

    `work` counts multiplications, or comparisons; `room` the elements of its largest
    temporary array. `slowness` says how many multiplications of a matrix product take
    the time of one of these.
    """

    work: int = 0
    room: int = 0
    slowness: int = 1

    @property
    def effort(self) -> int:
        """The time that it takes, in multiplications of a matrix product."""
        return self.work * self.slowness


Special = Literal["nan", "inf", "zero", "flat"]
# What is special about a number, or about a slope:
#   nan   a NaN of operands that are none
#   inf   an infinity of operands that are finite
#   zero  a 0
#   flat  a slope of 0


class Case(NamedTuple):
    """One way in which a result, or a slope, becomes special.

    `holds(y, *operands, **attributes)` tells where, for each element of the result y;
    without it the case is what is left when those before it do not hold.
    """

    makes: Special  # of what kind the special number is
    cause: str  # as explanations call it
    holds: Rule | None = None
    argument: int | None = None  # flat: the slope by this operand; None for each


class Bound(NamedTuple):
    """Where a rule holds the slope by the first operand at a bound, by convention.

    `holds(*operands, **attributes)` marks the elements. Differences are right to find
    another slope there.
    """

    holds: Rule
    words: str  # a clause


class Op(NamedTuple):
    """One operation.

    `forward(*operands, **attributes)` is the NumPy function.
    `shape(*shapes, **attributes)` is the shape of its result, found without computing
    it; a `ValueError` says in words what does not fit.
    `vjps[k](g, y, *operands, **attributes)` takes the upstream gradient `g`, of the
    shape of the result `y`, to the contribution to operand `k`: of the operand's shape,
    or for an elementwise operation of the result's shape, before the engine reduces it.
    `jvps[k](t, y, *operands, **attributes)` takes a tangent of operand `k` to the
    tangent of the result. `None` stands where no gradient flows.
    A variadic operation takes its operands as one list in a program; it has one rule,
    which is told the number of the operand as the keyword `argument`. The last name in
    `operands` stands for all that are left: in a template, `{arrays}` for all of them
    with commas between, `{arrays0}` for the first.
    """

    name: str
    operands: tuple[str, ...]
    forward: Callable[..., Any]
    shape: Callable[..., Shape]
    vjps: tuple[Rule | None, ...]
    jvps: tuple[Rule | None, ...]
    kind: Kind  # which elements of the result depend on one of an operand
    symbol: str  # the result in symbols: "{a} ∘ {b}"
    code: str  # the result in NumPy: "{a} * {b}"
    forms: tuple[Form | None, ...]  # the derivative by each operand; None without one
    summary: str  # one sentence
    # Whether NumPy's code goes on into the complex plane, so that a complex step gives
    # the derivative. Who compares numbers or takes their size would return one that is
    # silently wrong.
    analytic: bool
    # the arguments that are fixed, not computed with
    parameters: tuple[Parameter, ...] = ()
    optional: int = 0  # so many of the last operands may be left out
    variadic: bool = False
    order: tuple[str, ...] = ()  # of a call's arguments, if not operands, parameters
    corner: str = ""  # what the gradient is where there is none
    # Whether its slope jumps somewhere: relu at 0, max at two equal numbers.
    kinks: bool = False
    # Whether it turns for ever, or goes in steps, of about 1: beside a large number no
    # step of differences is short enough to see its slope.
    endless: bool = False
    # Where its rule holds the slope by the first operand at a bound; None if nowhere.
    bound: Bound | None = None
    # How a program writes it, unless as a call: "{a} + {b}", "-{x}", "{x}.T".
    written: str = ""
    # What a person would write in NumPy where `code` is made of tricks: lines that make
    # `{y}`; "" for "{y} = " and `code`.
    statement: str = ""
    # Whether a result is the sum, or the mean, of the numbers that it was made of.
    reduction: Literal["", "sum", "mean"] = ""
    # Whether its rule has a transpose that is easily forgotten: that of the other
    # factor of a matrix product, or its own.
    transposes: bool = False
    # Whether it is there to stop the gradient: other rows without a rule have none.
    stops: bool = False
    # Whether there is no rule of it, and its result is known because it was recorded.
    recorded: bool = False
    # Whether each of its numbers is rounded once: nothing between them to be lost.
    once: bool = False
    # Whether its result is a part of its operand, found as 1 minus something: others
    # are as wrong as the operand is large, however small the part.
    portion: bool = False
    # Whether its rules multiply all numbers of a matrix by each other, those as well
    # that a result does not depend on: a NaN that is sent back reaches more than that.
    mixes: bool = False
    # Whether its first operand, a condition, says which of the other two is taken.
    chooses: bool = False
    # So many nodes a call makes, by its attributes; the parameter `part`, which no
    # program gives, numbers them.
    parts: Callable[..., int] | None = None
    subscripts: Callable[..., str] | None = None  # contract: einsum's, by shapes
    # Where a result and its slopes come from the same steps, both at once:
    # `together(*operands, **attributes)` is (None, None) where they do not. The first
    # rule takes the slopes, if they are known, as the keyword `slopes`.
    together: Rule | None = None
    # `cost(*shapes, **attributes)`, where an element of the result takes many steps.
    cost: Callable[..., Cost] | None = None
    # The local derivative as an array to show, where the generic one (the elementwise
    # vjp of ones) does not serve: the other factor of a matrix product, say.
    shown_local: tuple[Rule | None, ...] = ()
    # reduce: the derivative of a result by each number that it was made of, for any
    # part of them: `slope(y, x, shared, *, count, **attributes)`, where `count` numbers
    # make one, and `shared(y, x, **attributes)` is what all slopes of a slice need to
    # know. It is left out where there is none. y has an axis of length 1 for each
    # reduced one.
    slope: Rule | None = None
    # belongs to `slope`; None where its slopes share nothing
    shared: Rule | None = None
    # move, gather: which of its functions returns a view of what it is given, so that
    # addresses tell where elements have gone.
    view: Literal["", "forward", "vjp"] = ""
    # block: a letter for each axis along which slices are independent of each other,
    # and "*" for the others: `axis_letters(*shapes, **attributes)` is "a*->a*" for a
    # softmax of rows. An axis whose letter the result does not have is summed over.
    axis_letters: Callable[..., str] | None = None
    # The columns in words that other shapes, attributes or numbers of operands need:
    # `wording(*shapes, **attributes)`.
    wording: Callable[..., Mapping[str, Any]] | None = None
    # block: where the factors of each product are that an element is the sum of:
    # `factors(index, *shapes, **attributes)` are arrays with an index in each row, one
    # for each of the first operands. Those of another operand are added as they are.
    factors: Callable[..., tuple[Array, ...]] | None = None
    # The names of operations that it does itself, and whose result is not for it: a
    # loss of logits does softmax.
    makes_own: tuple[str, ...] = ()
    # How a result becomes special; of each kind the first case that holds is the one.
    cases: tuple[Case, ...] = ()
    # Where the elements that a result was made of are added up, or averaged: with
    # which sign, by operand. Empty elsewhere.
    signs: tuple[int, ...] = ()
    # Whether a result is the product of the elements that it was made of.
    multiplies: bool = False
    # What its result takes, as `Form.work`; of what has a `cost`, None for that. It is
    # () where nothing is multiplied: it adds, compares, chooses or copies.
    work: tuple[int, ...] | None = None

    # Rows are told apart by which they are, in one step, and not by all that they hold.
    __eq__ = object.__eq__
    __ne__ = object.__ne__
    __hash__ = object.__hash__

    def worded(
        self, shapes: Iterable[Shape], attributes: Attributes = NO_ATTRIBUTES
    ) -> Op:
        """Return the row with the words that fit operands of these shapes."""
        if self.wording is None:
            return self
        return self._replace(**self.wording(*shapes, **attributes))

    def vjp(self, argument: int) -> Rule | None:
        """Return the vector-Jacobian product rule for operand number `argument`."""
        return _rule(self.vjps, argument, self.variadic)

    def jvp(self, argument: int) -> Rule | None:
        """Return the Jacobian-vector product rule for operand number `argument`."""
        return _rule(self.jvps, argument, self.variadic)

    def copies(self, argument: int) -> bool:
        """Tell whether elements of an operand become elements of the result as such.

        Something may be added to them. Their gradients are copied back.
        """
        form = self.form(argument)
        element = self.kind in ("elementwise", "move", "gather")
        return element and form is not None and form.local == "1"

    def form(self, argument: int) -> Form | None:
        """Return the derivative by operand number `argument` in words."""
        return self.forms[0 if len(self.forms) == 1 else argument]


def _rule(rules: tuple[Rule | None, ...], argument: int, variadic: bool) -> Rule | None:
    if not variadic:
        return rules[argument]
    rule = rules[0]
    if rule is None:
        return None

    def of_argument(*arrays: Any, **attributes: Any) -> Any:
        return rule(*arrays, argument=argument, **attributes)

    return of_argument


def row_of_one(
    name: str,
    forward: Rule,
    shape: Callable[..., Shape],
    rules: tuple[Rule | None, Rule | None],
    kind: Kind,
    symbol: str,
    code: str,
    form: Form | None,
    summary: str,
    operand: str = "x",
    **columns: Any,
) -> Op:
    """Return the row of an operation of one operand.

    `rules` are its vjp and its jvp, `columns` the others by their names.
    """
    vjp, jvp = rules
    return Op(
        name=name,
        operands=(operand,),
        forward=forward,
        shape=shape,
        vjps=(vjp,),
        jvps=(jvp,),
        kind=kind,
        symbol=symbol,
        code=code,
        forms=(form,),
        summary=summary,
        **columns,
    )


def linear(forward: Rule, argument: int = 0) -> Rule:
    """Return the jvp by an operand that the result is linear in.

    The tangent of the result is the result with the tangent in the operand's place.
    """

    def jvp(
        t: Any, _y: Any, *operands: Any, argument: int = argument, **attributes: Any
    ) -> Any:
        changed = (*operands[:argument], t, *operands[argument + 1 :])
        return forward(*changed, **attributes)

    return jvp


def broadcast_shape(*shapes: Shape, **_attributes: Any) -> Shape:
    """Return what `shapes` broadcast to: the shape rule of elementwise rows.

    Raises `ValueError` where they do not.
    """
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        listed = " and ".join(map(str, shapes))
        raise ValueError(
            f"shapes {listed} do not broadcast: counted from the last axis, "
            "two lengths must be equal or one of them 1"
        ) from None
