"""Fits the polynomial by which the encoder's kernels compute GELU.

`erfc(z) = exp(-z^2) * P(u)` with `u = 1 / (1 + p z)` for `z >= 0` (the form of Abramowitz & Stegun 7.1.26). Prints the
coefficients, lowest power first, and the error of the whole function in single precision.

    python3 tools/fit_gelu.py          # needs numpy and scipy
"""

import numpy as np
from scipy.special import erf, erfcx

DEGREE = 9
FURTHEST = 6.0
POINTS = 6000
ROUNDS = 300


def fit(p: float) -> tuple[float, np.ndarray]:
    """The polynomial of least greatest relative error for one `p`, by iteratively reweighted least squares."""
    u_least = 1 / (1 + p * FURTHEST)
    angles = np.pi * (np.arange(POINTS) + 0.5) / POINTS
    u = u_least + (1 - u_least) * 0.5 * (1 - np.cos(angles))
    z = (1 / u - 1) / p
    exact = erfcx(z)
    powers = np.stack([u**n for n in range(DEGREE + 1)], axis=1) / exact[:, None]
    weights = np.ones(POINTS)
    best = (np.inf, np.zeros(DEGREE + 1))
    for _ in range(ROUNDS):
        root = np.sqrt(weights)[:, None]
        coefficients, *_ = np.linalg.lstsq(powers * root, root[:, 0], rcond=None)
        error = np.abs(powers @ coefficients - 1)
        if error.max() < best[0]:
            best = (error.max(), coefficients)
        weights *= (error / error.mean() + 1e-3) ** 0.5
        weights /= weights.mean()
    return best


def gelu(x: np.ndarray, p: float, coefficients: np.ndarray) -> np.ndarray:
    """GELU as the kernel computes it, in single precision and without fused operations."""
    single = np.float32
    z = np.abs(x) * single(np.sqrt(0.5))
    u = single(1) / (single(1) + single(p) * z)
    total = np.zeros_like(u)
    for coefficient in coefficients[::-1]:
        total = total * u + single(coefficient)
    half_tail = single(0.5) * np.exp(-z * z) * total
    return x * np.where(x < 0, half_tail, single(1) - half_tail)


def main() -> None:
    candidates = [(fit(p), p) for p in np.arange(0.25, 0.65, 0.05)]
    (error, coefficients), p = min(candidates, key=lambda candidate: candidate[0][0])
    print(f"p = {p:.2f}, greatest relative error {error:.2e}")
    for coefficient in coefficients:
        print(f"    {np.float32(coefficient)!r},")
    x = np.linspace(-8, 8, 2_000_001).astype(np.float32)
    wide = x.astype(np.float64)
    exact = 0.5 * wide * (1 + erf(wide / np.sqrt(2)))
    print(f"greatest error of GELU in single precision {np.abs(gelu(x, p, coefficients) - exact).max():.2e}")


if __name__ == "__main__":
    main()
