"""Sine and cosine of a vector, in C, by range reduction to [-pi/4, pi/4] and polynomials.

x is split into k * pi/2 + y, with pi/2 as a sum of parts short enough that k times the leading ones is exact
(Cody and Waite, "Software Manual for the Elementary Functions", 1980). Adding 1.5 * 2^mantissa leaves k in
the low bits of the sum: this must not be compiled with -ffast-math, which cancels it. Polynomials: float,
Moshier's Cephes `sinf`; double, Sun's fdlibm `k_sin`, `k_cos`. Error: about one unit in the last place of 1.
"""

_TEMPLATE = """\
INLINE I sincos_of(V x, V *sine, V *cosine) {{
  const V shifted = x * (T)0.63661977236758134308 + (T){magic};
  const I k = (I)shifted;
  const V turns = shifted - (T){magic};
  V y = x - turns * (T){part0};
  y = y - turns * (T){part1};
  y = y - turns * (T){part2};
  const V z = y * y;
  const V s = y + y * z * ({sine});
  const V c = (T)1 - (z * (T)0.5 - z * z * ({cosine}));
  const I swap = -(k & 1);
  const N top = 8 * sizeof(N) - 2;
  *sine = (V)((I)choose(swap, c, s) ^ ((k & 2) << top));
  *cosine = (V)((I)choose(swap, s, c) ^ (((k + 1) & 2) << top));
  return (x > (T){limit}) | (x < (T)-{limit});
}}
"""


def _horner(coefficients: list[str]) -> str:
    """C text of a polynomial in z, constant first."""
    text = f"(T){coefficients[-1]}"
    for coefficient in reversed(coefficients[:-1]):
        text = f"({text} * z + (T){coefficient})"
    return text


SINCOS = {
    "float": _TEMPLATE.format(
        magic="12582912.0",
        part0="1.5703125",
        part1="4.837512969970703125e-4",
        part2="7.54978995489188e-8",
        sine=_horner(["-1.6666654611e-1", "8.3321608736e-3", "-1.9515295891e-4"]),
        cosine=_horner(["4.166664568298827e-2", "-1.388731625493765e-3", "2.443315711809948e-5"]),
        limit="8192.0",
    ),
    "double": _TEMPLATE.format(
        magic="6755399441055744.0",
        part0="1.57079632673412561417",
        part1="6.07710050630396597660e-11",
        part2="2.02226624879595063154e-21",
        sine=_horner(
            [
                "-1.66666666666666324348e-01", "8.33333333332248946124e-03", "-1.98412698298579493134e-04",
                "2.75573137070700676789e-06", "-2.50507602534068634195e-08", "1.58969099521155010221e-10",
            ]
        ),
        cosine=_horner(
            [
                "4.16666666666666019037e-02", "-1.38888888888741095749e-03", "2.48015872894767294178e-05",
                "-2.75573143513906633035e-07", "2.08757232129817482790e-09", "-1.13596475577881948265e-11",
            ]
        ),
        limit="100000.0",
    ),
}  # fmt: skip
"""C source of `I sincos_of(V x, V *sine, V *cosine)` by type; it returns which |x| are beyond its reach."""
