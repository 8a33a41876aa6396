"""A program as C: straight-line code in which each variable is a vector with one lane a frame.

What does not vary from frame to frame is computed once beforehand, into an array `shared` of single numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from odah.osim.fast.curve_c import LOOKUP, emit_curve
from odah.osim.fast.expressions import Expression, Graph, ancestors
from odah.osim.fast.sincos_c import SINCOS

LANES = 16
"""The most frames that a vector holds on any machine."""

_PRELUDE = """\
#include <stdint.h>
#include <math.h>
#if defined(__AVX512F__)
#define BYTES 64
#elif defined(__AVX__)
#define BYTES 32
#else
#define BYTES 16
#endif
typedef {real} T;
typedef {integer} N;
typedef T V __attribute__((vector_size(BYTES)));
typedef N I __attribute__((vector_size(BYTES)));
typedef T U __attribute__((vector_size(BYTES), aligned(sizeof(T)), may_alias));
#define WIDTH ((int64_t)(BYTES / sizeof(T)))
#define INLINE static inline __attribute__((always_inline))
#define ALL(x) ((V){{}} + (T)(x))
INLINE V choose(I mask, V yes, V no) {{ return (V)((mask & (I)yes) | (~mask & (I)no)); }}
INLINE V magnitudes(V x) {{ return choose(x < 0, -x, x); }}
INLINE V square_roots(V x) {{ for (int k = 0; k < WIDTH; k++) x[k] = sqrt(x[k]); return x; }}
INLINE int any(I mask) {{ N found = 0; for (int k = 0; k < WIDTH; k++) found |= mask[k]; return found != 0; }}
"""

Load = Callable[[str, int], str]
"""C text of an input: a vector, or a single number where it is shared; by group and row."""
Store = Callable[[str, int, str], str]
"""C statement that stores a vector (its text) as an output; by group and row."""


@dataclass(frozen=True)
class Program:
    """Groups of inputs and outputs, each a list of rows; a row is one value for each frame.

    outputs: (group, expressions); an expression may be a plain number.
    """

    graph: Graph
    input_groups: tuple[str, ...]
    outputs: tuple[tuple[str, list[Expression | float]], ...]

    def used(self) -> list[Expression]:
        """The expressions that some output needs, in order of computation."""
        values = (value for _, values in self.outputs for value in values)
        return ancestors(value for value in values if isinstance(value, Expression))


def prelude(is_double: bool) -> str:
    """Types and helpers, for double or single precision."""
    real, integer = ("double", "int64_t") if is_double else ("float", "int32_t")
    return _PRELUDE.format(real=real, integer=integer) + SINCOS[real] + LOOKUP


class StraightLine:
    """The statements of a program, for functions to be made of.

    `prepare` fills `T shared[num_shared]`, `work` reads it. Both set bits in `I far` where an angle is too
    large for the range reduction.
    """

    def __init__(self, program: Program, load: Load, store: Store) -> None:
        self.program, self.load, self.store = program, load, store
        self.used = program.used()
        read = [arg for node in self.used if node.varies for arg in node.args]
        read += [value for _, values in program.outputs for value in values]
        shared = {x.index for x in read if isinstance(x, Expression) and not x.varies}
        self._places = {index: place for place, index in enumerate(sorted(shared))}
        self.num_shared = len(shared)

    def curves(self) -> str:
        """The functions that both kinds of statement call."""
        numbers = {node.payload for node in self.used if node.op in ("curve", "slope")}
        return "".join(emit_curve(k, self.program.graph.curves[k]) for k in sorted(numbers))

    def prepare(self) -> Iterator[str]:
        for text, node in self._computed([node for node in self.used if not node.varies], _name):
            yield text
            if node.index in self._places:
                yield f"shared[{self._places[node.index]}] = {_name(node)}[0];"

    def work(self) -> Iterator[str]:
        """Each output is stored as soon as it is known, so that few values are held at a time."""
        stores: dict[int, list[str]] = {}
        for group, values in self.program.outputs:
            for row, value in enumerate(values):
                if isinstance(value, Expression) and value.varies:
                    stores.setdefault(value.index, []).append(self.store(group, row, _name(value)))
                else:
                    yield self.store(group, row, f"ALL({self._value(value)})")
        for text, node in self._computed([node for node in self.used if node.varies], self._value):
            yield text
            yield from stores.get(node.index, [])

    def _value(self, value: Expression | float) -> str:
        if isinstance(value, Expression) and not value.varies:
            return f"shared[{self._places[value.index]}]"
        return _name(value)

    def _computed(
        self, nodes: list[Expression], name: Callable[[Expression | float], str]
    ) -> Iterator[tuple[str, Expression]]:
        """Statements, each with the expression it computes."""
        paired: set[str] = set()
        for node in nodes:
            call = _paired_call(node)
            if call in paired:
                call = ""
            elif call:
                paired.add(call)
            if node.op == "input":
                value = f"ALL({self.load(*node.payload)})" if not node.varies else self.load(*node.payload)
            else:
                value = _operation(node, [name(arg) for arg in node.args])
            yield f"{call}const V {_name(node)} = {value};", node


def _name(value: Expression | float) -> str:
    return f"x{value.index}" if isinstance(value, Expression) else f"(T){value!r}"


def _paired_call(node: Expression) -> str:
    """Sine and cosine come together, and so do a curve and its slope."""
    if node.op in ("sin", "cos"):
        k = node.args[0].index
        return f"V sin{k}, cos{k}; far |= sincos_of(x{k}, &sin{k}, &cos{k}); "
    if node.op in ("curve", "slope"):
        name = f"{node.payload}_{node.args[0].index}"
        arguments = f"x{node.args[0].index}, &curve{name}, &slope{name}"
        return f"V curve{name}, slope{name}; curve{node.payload}({arguments}); "
    return ""


def _operation(node: Expression, args: list[str]) -> str:
    match node.op:
        case "add":
            return f"{args[0]} + {args[1]}"
        case "mul":
            return f"{args[0]} * {args[1]}"
        case "neg":
            return f"-{args[0]}"
        case "inverse":
            return f"(T)1 / {args[0]}"
        case "abs":
            return f"magnitudes({args[0]})"
        case "sqrt":
            return f"square_roots({args[0]})"
        case "sin" | "cos":
            return f"{node.op}{node.args[0].index}"
        case "curve" | "slope":
            return f"{node.op}{node.payload}_{node.args[0].index}"
    raise ValueError(f"no C for {node.op}")
