#!/usr/bin/env python3
"""Writes netsim/src/distribution_tables.hpp: inverse distribution functions as integers.

Point k of a table lies at tail probability t = 2^-(e+2) * (1 + c/16), k = 16 e + 16 - c: sixteen
points an octave, from 1/2 to 2^-17. Values are in units of 2^-20 of the scale.
Usage: tools/distribution_tables.py > netsim/src/distribution_tables.hpp
"""
import math
from statistics import NormalDist

POINTS = 257
ONE = 1 << 20

SHAPES = {
    "normal": NormalDist().inv_cdf,  # mean 0, deviation 1
    "lognormal": lambda u: math.exp(0.5 * NormalDist().inv_cdf(u)),  # median 1, sigma 1/2
    "pareto": lambda u: (1 - u) ** (-1 / 3),  # minimum 1, shape 3
}


def tail(k: int) -> float:
    octave, step = divmod(k - 1, 16) if k else (0, -1)
    return 2.0 ** -(octave + 2) * (1 + (15 - step) / 16)


def table(name: str, quantile) -> None:
    print(f"inline constexpr tail_tables {name}_tables = {{{{")
    for half in (lambda t: t, lambda t: 1 - t):
        values = [round(quantile(half(tail(k))) * ONE) for k in range(POINTS)]
        print("    {")
        for i in range(0, POINTS, 9):
            print("        " + " ".join(f"{v}," for v in values[i:i + 9]))
        print("    },")
    print("}};\n")


print("// Inverse distribution functions, written by tools/distribution_tables.py, which says what")
print("// the points are: the same integers on every machine, where libm differs.")
print("// clang-format off")
print("#pragma once\n#include <array>\n#include <cstdint>\n")
print("namespace mdp::netsim {\n")
print("// [0]: below the median, [1]: above it.")
print(f"using tail_tables = std::array<std::array<std::int32_t, {POINTS}>, 2>;\n")
for shape, inverse in SHAPES.items():
    table(shape, inverse)
print("}  // namespace mdp::netsim")
