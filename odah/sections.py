"""What every section of a config is: checked field by field, unknown keys refused, read-only."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]


def ordered(bounds: tuple[float, float]) -> tuple[float, float]:
    """Checks a lower and an upper bound."""
    if bounds[0] > bounds[1]:
        raise ValueError(f"the lower bound {bounds[0]} is above the upper {bounds[1]}")
    return bounds


Range = Annotated[tuple[NonNegative, NonNegative], AfterValidator(ordered)]
"""Lower and upper bound, neither negative."""
PositiveRange = Annotated[tuple[Positive, Positive], AfterValidator(ordered)]


class Section(BaseModel):
    """One mapping of a config file."""

    model_config = ConfigDict(extra="forbid", frozen=True)
