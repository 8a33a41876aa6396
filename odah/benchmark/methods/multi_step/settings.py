"""What can be set of the multi-step baseline."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from odah.sections import NonNegative, Positive, Section, Share


class MultiStepSettings(Section):
    """min_confidence: keypoints below it are not used. max_error_px: points that miss the pixels of their
    keypoints by more, root mean square, are dropped or, with more than two views, found without the worst.
    max_gap: s; shorter gaps are interpolated, longer ones left to inverse kinematics. cutoff: Hz, of a
    zero-phase Butterworth filter of 4th order; None filters nothing.

    keypoint_noise: m, the error that scaling and inverse kinematics expect of one coordinate of a keypoint.
    segment_deviation, axis_deviation: how much bodies differ from the person's size, and their axes from the
    bodies, as logarithms of scale factors; see `SubjectPriors`. num_frames: that scaling uses at most.
    determined_within_deg: standard deviation up to which a coordinate counts as determined.
    """

    min_confidence: Share = 0.3
    max_error_px: Positive = 40.0
    max_gap: NonNegative = 0.2
    cutoff: Positive | None = 6.0
    keypoint_noise: Positive = 0.01
    segment_deviation: NonNegative = 0.05
    axis_deviation: NonNegative = 0.05
    num_frames: Annotated[int, Field(ge=1, le=1000)] = 60
    determined_within_deg: Positive = 5.0
