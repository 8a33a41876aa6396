"""Gait parameters of made walks whose steps are known, at odd headings, around bends and badly seen."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from odah.benchmark.metrics.gait import GAIT_PARAMETERS, gait_errors, gait_parameters, steps_of
from odah.benchmark.metrics.measured import Measured, Undefined
from odah.benchmark.metrics.strikes import Strike, heel_strikes

RATE = 60.0


@dataclass(frozen=True)
class Walk:
    """Feet that stand for 60 % of a stride; in m and s. step_left: from right to left foot."""

    step_left: float = 0.6
    step_right: float = 0.6
    width: float = 0.12
    time_left: float = 0.5
    time_right: float = 0.5
    heading: float = 0.0
    radius: float = np.inf
    sway: float = 0.02
    duration: float = 6.0
    rate: float = RATE

    @property
    def stride(self) -> float:
        return self.step_left + self.step_right

    @property
    def period(self) -> float:
        return self.time_left + self.time_right

    def moved(self) -> tuple[np.ndarray, np.ndarray]:
        """Heels, left and right, (T, 2, 3), and pelvis, (T, 3), in ground."""
        times = np.arange(round(self.duration * self.rate)) / self.rate
        left = self._foot(times - self.time_left), self.width / 2
        right = self._foot(times), -self.width / 2
        heels = np.stack(
            [
                self._placed(self.step_left + left[0][0], left[1], left[0][1]),
                self._placed(right[0][0], right[1], right[0][1]),
            ],
            axis=1,
        )
        speed = self.stride / self.period
        aside = self.sway * np.sin(2 * np.pi * times / self.period)
        return heels, self._placed(0.2 + speed * times, aside, np.full(len(times), 0.95))

    def _foot(self, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Way and height of a foot that lands at 0 and after every period."""
        number, phase = np.divmod(times / self.period, 1.0)
        swing = np.clip((phase - 0.6) / 0.4, 0, 1)
        way = self.stride * (number + swing**2 * (3 - 2 * swing))
        return way, 0.02 + 0.1 * np.sin(np.pi * swing) ** 2

    def _placed(self, ahead: np.ndarray, left: np.ndarray | float, up: np.ndarray) -> np.ndarray:
        """Points beside a way that leads along x, or around a circle to the left, turned by the heading."""
        angle = ahead / self.radius
        x = ahead if np.isinf(self.radius) else self.radius * np.sin(angle)
        to_left = 0 * ahead if np.isinf(self.radius) else self.radius * (1 - np.cos(angle))
        x, to_left = x - left * np.sin(angle), to_left + left * np.cos(angle)
        cos, sin = np.cos(self.heading), np.sin(self.heading)
        # A heading turns about y: x goes towards -z.
        return np.stack([cos * x - sin * to_left, up, -sin * x - cos * to_left], axis=-1)


def found(walk: Walk) -> dict[str, float]:
    return dict(zip(GAIT_PARAMETERS, gait_parameters(*walk.moved(), walk.rate).values.tolist(), strict=True))


HEADINGS = [0.0, 0.7, np.pi / 2, 2.3, np.pi, -1.234, -np.pi / 2]


@pytest.mark.parametrize("heading", HEADINGS)
def test_a_walk_gives_back_its_steps_whatever_its_heading(heading: float) -> None:
    walk = Walk(step_left=0.72, step_right=0.48, width=0.15, heading=heading)
    values = found(walk)
    expected = {
        "step_length_left": 0.72, "step_length_right": 0.48,
        "stride_length_left": 1.2, "stride_length_right": 1.2,
        "step_width": 0.15,
    }  # fmt: skip
    for name, value in expected.items():
        assert values[name] == pytest.approx(value, abs=1e-9), name
    assert values["cadence"] == pytest.approx(120.0, rel=0.01)


@pytest.mark.parametrize(("time_left", "time_right"), [(0.5, 0.5), (0.6, 0.4), (0.4, 0.5)])
def test_cadence_of_even_and_limping_walks(time_left: float, time_right: float) -> None:
    walk = Walk(time_left=time_left, time_right=time_right, sway=0.0, heading=0.4)
    steps = [step for strikes in heel_strikes(*walk.moved(), RATE) for step in steps_of(strikes)]
    times = {side: [(s.end - s.begin) / RATE for s in steps if s.side == side] for side in ("left", "right")}
    np.testing.assert_allclose(times["left"], time_left, atol=1e-9)
    np.testing.assert_allclose(times["right"], time_right, atol=1e-9)
    expected = 60 * len(steps) / (sum(times["left"]) + sum(times["right"]))
    assert found(walk)["cadence"] == pytest.approx(expected, abs=1e-9)
    assert expected == pytest.approx(120 / walk.period, rel=0.03)


def test_strikes_are_found_where_feet_land() -> None:
    (strikes,) = heel_strikes(*Walk().moved(), RATE)
    assert [strike.side for strike in strikes[:3]] in (["left", "right", "left"], ["right", "left", "right"])
    for strike in strikes:
        landing = 0.5 if strike.side == "left" else 0.0
        late = (strike.frame / RATE - landing + 0.5) % 1.0 - 0.5
        assert -0.05 <= late <= 0.01  # the heel is slower than the pelvis a moment before it lands
    assert len(strikes) == 11  # of those at 0, 0.5, ... 5.5 s the first has no swing before it


@given(
    st.floats(-np.pi, np.pi), st.floats(-5, 5), st.floats(0.3, 0.8), st.floats(0.3, 0.8), st.floats(-0.1, 0.2)
)
@settings(max_examples=25)
def test_turning_and_shifting_the_world_changes_nothing(
    heading: float, shift: float, step_left: float, step_right: float, width: float
) -> None:
    heels, pelvis = Walk(step_left=step_left, step_right=step_right, width=width).moved()
    plain = gait_parameters(heels, pelvis, RATE)
    cos, sin = np.cos(heading), np.sin(heading)
    turn = np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]])
    moved = gait_parameters(heels @ turn.T + shift, pelvis @ turn.T + shift, RATE)
    np.testing.assert_allclose(moved.values, plain.values, atol=1e-9)
    expected = [step_left, step_right, step_left + step_right, step_left + step_right, width]
    np.testing.assert_allclose(plain.values[:5], expected, atol=1e-9)


def test_a_mirrored_walk_has_its_sides_swapped() -> None:
    heels, pelvis = Walk(step_left=0.7, step_right=0.5, heading=0.3).moved()
    mirror = np.array([1.0, 1.0, -1.0])
    values = gait_parameters(heels[:, ::-1] * mirror, pelvis * mirror, RATE).values
    np.testing.assert_allclose(values[:5], [0.5, 0.7, 1.2, 1.2, 0.12], atol=1e-9)


def test_sides_that_are_mixed_up_show() -> None:
    heels, pelvis = Walk(step_left=0.7, step_right=0.5).moved()
    values = gait_parameters(heels[:, ::-1], pelvis, RATE).values
    np.testing.assert_allclose(values[:5], [0.5, 0.7, 1.2, 1.2, -0.12], atol=1e-9)


def test_feet_that_cross_have_a_negative_width() -> None:
    assert found(Walk(width=-0.04, heading=2.0))["step_width"] == pytest.approx(-0.04, abs=1e-9)


@pytest.mark.parametrize("radius", [4.0, -4.0])
def test_walks_may_bend(radius: float) -> None:
    """The two footholds of a stride are as far apart as its chord; that foot's circle is half a width off."""
    walk = Walk(radius=radius, heading=0.5, duration=10.0, width=0.1)
    values = found(walk)
    for side, away in (("left", -0.05), ("right", 0.05)):
        circle = abs(radius + away)
        chord = 2 * circle * np.sin(0.6 / abs(radius))
        assert values[f"stride_length_{side}"] == pytest.approx(chord, abs=1e-9)
        assert values[f"step_length_{side}"] == pytest.approx(0.6, abs=0.02)
    # The chord cuts the bend: the other foot is off by its height, to one side and to the other.
    assert values["step_width"] == pytest.approx(0.1, abs=0.01)


@pytest.mark.parametrize("rate", [20.0, 30.0, 100.0])
def test_footholds_hardly_depend_on_the_rate(rate: float) -> None:
    values = found(Walk(step_left=0.65, step_right=0.55, rate=rate, heading=1.0))
    assert values["step_length_left"] == pytest.approx(0.65, abs=1e-9)
    assert values["step_length_right"] == pytest.approx(0.55, abs=1e-9)


def test_noisy_heels() -> None:
    heels, pelvis = Walk(step_left=0.7, step_right=0.5, heading=-2.0, duration=10.0).moved()
    rng = np.random.default_rng(1)
    noisy = heels + rng.normal(scale=0.01, size=heels.shape)
    values = gait_parameters(noisy, pelvis + rng.normal(scale=0.01, size=pelvis.shape), RATE).values
    np.testing.assert_allclose(values[:5], [0.7, 0.5, 1.2, 1.2, 0.12], atol=0.01)
    assert values[5] == pytest.approx(120, rel=0.03)


def test_a_rest_parts_two_stretches() -> None:
    heels, pelvis = Walk(duration=4.0).moved()
    rest = round(3 * RATE)
    heels, pelvis = (
        np.concatenate([part, np.repeat(part[-1:], rest, axis=0), part + (part[-1] - part[0])])
        for part in (heels, pelvis)
    )
    first, second = heel_strikes(heels, pelvis, RATE)
    assert first[-1].frame < 4.0 * RATE < 7.0 * RATE < second[0].frame
    values = gait_parameters(heels, pelvis, RATE)
    assert values.values[5] == pytest.approx(120, rel=0.03)


def test_a_treadmill_and_standing_are_refused_not_guessed() -> None:
    heels, pelvis = Walk().moved()
    belt = np.linspace(0, pelvis[-1, 0] - pelvis[0, 0], len(pelvis))[:, None] * [1.0, 0, 0]
    for result in (
        gait_parameters(heels - belt[:, None], pelvis - belt, RATE),
        gait_parameters(heels * 0, pelvis * 0, RATE),
    ):
        assert np.isnan(result.values).all()
        assert set(result.reasons) == {"nobody travels: standing, or a treadmill"}


def test_gliding_without_steps_has_none() -> None:
    heels, pelvis = Walk().moved()
    sliding = gait_parameters(pelvis[:, None] + np.zeros_like(heels), pelvis, RATE)
    assert set(sliding.reasons) == {"no steps"}
    assert sliding.num_frames.tolist() == [0] * 6


def test_what_cannot_be_measured_says_why() -> None:
    heels, pelvis = Walk().moved()
    assert set(gait_parameters(heels[:20], pelvis[:20], RATE).reasons) == {"shorter than a stride"}
    heels[100, 1, 2] = np.nan
    with pytest.raises(Undefined, match="missing frames"):
        heel_strikes(heels, pelvis, RATE)
    assert set(gait_parameters(heels, pelvis, RATE).reasons) == {"missing frames"}


def strike(frame: int, side: str, x: float, z: float) -> Strike:
    return Strike(frame, side, np.array([x, z]))


def test_steps_by_hand() -> None:
    # Along x, the left side at negative z; the second left foothold is missing.
    strikes = [
        strike(0, "right", 0.0, 0.1),
        strike(10, "left", 0.5, -0.1),
        strike(20, "right", 1.2, 0.1),
        strike(40, "right", 2.4, 0.1),
        strike(50, "left", 3.0, 0.0),
        strike(62, "right", 3.4, 0.1),
        strike(72, "left", 4.0, 0.0),
    ]
    steps = steps_of(strikes)
    assert [(step.side, step.begin, step.end) for step in steps] == [
        ("left", 0, 10), ("right", 10, 20), ("left", 40, 50), ("right", 50, 62), ("left", 62, 72),
    ]  # fmt: skip
    np.testing.assert_allclose([step.length for step in steps], [0.5, 0.7, 0.6, 0.4, 0.6], atol=1e-9)
    np.testing.assert_allclose([step.width for step in steps], [0.2, 0.2, 0.1, 0.1, 0.1], atol=1e-9)
    strides = [step.stride_length for step in steps]
    np.testing.assert_allclose(strides, [np.nan, 1.2, np.nan, 1.0, 1.0], atol=1e-9)


def test_the_line_of_progression_is_that_of_the_stride_that_ends_with_the_step() -> None:
    # The last stride of the right foot runs along (0.6, 0.8).
    strikes = [
        strike(0, "left", 0.0, 0.0),
        strike(10, "right", 0.0, 0.0),
        strike(20, "left", 0.4, 0.3),
        strike(30, "right", 0.6, 0.8),
    ]
    step = steps_of(strikes)[-1]
    along = np.array([0.6, 0.8])
    assert step.length == pytest.approx(np.array([0.2, 0.5]) @ along, abs=1e-9)
    assert step.stride_length == pytest.approx(1.0, abs=1e-9)
    assert step.width == pytest.approx(-(0.2 * 0.8 - 0.5 * 0.6), abs=1e-9)


def test_two_strikes_have_no_line_of_progression() -> None:
    assert steps_of([strike(0, "left", 0.0, 0.0), strike(10, "right", 0.5, 0.1)]) == ()
    assert steps_of([]) == ()


def measured(*values: float, steps: int = 4) -> Measured:
    reasons = tuple("" if np.isfinite(value) else "no steps" for value in values)
    return Measured(np.array(values), reasons, np.full(len(values), steps), np.zeros(len(values), dtype=int))


def test_errors_by_hand_with_failures_counted_in_true_steps() -> None:
    nan = np.nan
    errors = gait_errors(measured(0.5, 0.7, nan, nan, steps=9), measured(0.6, 0.6, 1.2, nan))
    np.testing.assert_allclose(errors.values, [0.1, 0.1, nan, nan], atol=1e-9)
    assert errors.reasons == ("", "", "no estimate: no steps", "no steps")
    assert errors.num_frames.tolist() == [4, 4, 4, 0]
    assert errors.num_failed.tolist() == [0, 0, 4, 0]


def test_errors_of_an_estimate_with_longer_left_steps() -> None:
    true, estimated = Walk(step_left=0.6, step_right=0.6), Walk(step_left=0.7, step_right=0.6, heading=1.0)
    errors = gait_errors(*(gait_parameters(*walk.moved(), RATE) for walk in (estimated, true)))
    np.testing.assert_allclose(errors.values[:5], [0.1, 0, 0.1, 0.1, 0], atol=1e-9)
