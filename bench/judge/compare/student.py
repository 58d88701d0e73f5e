"""Quantiles of Student's distribution, for what a few processes say of the next one."""

from typing import Final

# 0.975 quantiles for 1, 2, ... degrees of freedom.
# NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2.
_QUANTILES: Final = (
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228),
    *(2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086),
    *(2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042),
)


def t_quantile(degrees: int) -> float:
    """The 0.975 quantile, `degrees` from 1; beyond 30 that of 30, which is at most 5 % too large."""
    return _QUANTILES[min(degrees, len(_QUANTILES)) - 1]
