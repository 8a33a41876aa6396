"""Correlations against scipy, closed forms and the printed equation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import pearsonr

from odah.benchmark.metrics.measured import NO_ESTIMATE, Undefined
from odah.benchmark.metrics.waves import cmc, cmc_of_cycles, pearson_rho

BOUNDED = np.array([False])
TIMES = np.arange(40) / 40
WAVE = np.sin(2 * np.pi * TIMES)


def column(values: np.ndarray) -> np.ndarray:
    return np.asarray(values, dtype=float)[:, None]


def printed_cmc(cycles: list[np.ndarray]) -> float:
    """The equation, sum by sum."""
    above = below = 0.0
    for cycle in cycles:
        num_protocols, num_frames = cycle.shape
        for p in range(num_protocols):
            for f in range(num_frames):
                above += (cycle[p, f] - cycle[:, f].mean()) ** 2 / (
                    len(cycles) * num_frames * (num_protocols - 1)
                )
                below += (cycle[p, f] - cycle.mean()) ** 2 / (len(cycles) * (num_protocols * num_frames - 1))
    return float(np.sqrt(1 - above / below))


@given(st.integers(0, 2**31))
def test_rho_is_scipys_and_blind_to_offset_and_gain(seed: int) -> None:
    rng = np.random.default_rng(seed)
    true, estimated = rng.normal(size=(12, 1)), rng.normal(size=(12, 1))
    expected = pearsonr(estimated[:, 0], true[:, 0])[0]
    assert pearson_rho(estimated, true, BOUNDED).values[0] == pytest.approx(expected, abs=1e-9)
    assert pearson_rho(-3 * estimated + 2, true, BOUNDED).values[0] == pytest.approx(-expected, abs=1e-9)


def test_rho_by_hand() -> None:
    found = pearson_rho(column([1, 2, 4]), column([1, 3, 2]), BOUNDED)
    # Deviations (-4, -1, 5)/3 and (-1, 1, 0): covariance 1, norms sqrt(42)/3 and sqrt(2).
    assert found.values[0] == pytest.approx(3 / np.sqrt(84), abs=1e-9)


def test_a_turn_of_the_whole_body_correlates_though_its_angle_jumps() -> None:
    turning = np.linspace(0, 4 * np.pi, 50)
    jumping = np.angle(np.exp(1j * turning))
    estimated = np.angle(np.exp(1j * (turning + 0.1)))
    assert pearson_rho(column(estimated), column(jumping), np.array([True])).values[0] == pytest.approx(1)
    assert cmc(column(jumping), column(jumping), np.array([True])).values[0] == pytest.approx(1)


def test_rho_is_undefined_with_its_reason() -> None:
    still = np.zeros(40)
    assert pearson_rho(column(WAVE), column(still), BOUNDED).reasons == ("the truth does not move",)
    assert pearson_rho(column(still), column(WAVE), BOUNDED).reasons == ("the estimate does not move",)
    assert pearson_rho(column(WAVE[:2]), column(WAVE[:2]), BOUNDED).reasons == ("fewer than 3 frames",)
    found = pearson_rho(column(np.full(40, np.nan)), column(WAVE), BOUNDED)
    assert found.reasons == (NO_ESTIMATE,)
    assert np.isnan(found.values).all()


def test_the_same_wave_has_cmc_1() -> None:
    assert cmc(column(WAVE), column(WAVE), BOUNDED).values[0] == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("offset", [0.1, 0.5, 1.0])
def test_cmc_of_an_offset_in_closed_form(offset: float) -> None:
    # Within frames 2 F (c/2)^2 / F; about the grand mean a sine's F/2 twice, and the offset.
    num = len(WAVE)
    above = offset**2 / 2
    below = (num + num * offset**2 / 2) / (2 * num - 1)
    found = cmc(column(WAVE + offset), column(WAVE), BOUNDED)
    assert found.values[0] == pytest.approx(np.sqrt(1 - above / below), abs=1e-9)


@pytest.mark.parametrize("gain", [0.5, 0.9, 2.0])
def test_cmc_of_a_gain_in_closed_form_where_rho_sees_none(gain: float) -> None:
    num = len(WAVE)
    above = (1 - gain) ** 2 / 4
    below = (1 + gain**2) * num / 2 / (2 * num - 1)
    found = cmc(column(gain * WAVE), column(WAVE), BOUNDED)
    assert found.values[0] == pytest.approx(np.sqrt(1 - above / below), abs=1e-9)
    assert pearson_rho(column(gain * WAVE), column(WAVE), BOUNDED).values[0] == pytest.approx(1)


@given(st.integers(0, 2**31))
def test_cmc_is_the_printed_equation_for_cycles_of_any_length(seed: int) -> None:
    rng = np.random.default_rng(seed)
    waves = [np.sin(np.linspace(0, 7, num)) + 0.1 * rng.normal(size=(3, num)) for num in (5, 9, 20)]
    assert cmc_of_cycles(waves) == pytest.approx(printed_cmc(waves), abs=1e-9)


def test_offsets_between_cycles_do_not_count_as_similarity() -> None:
    """Removing the variability between cycles is what the inter-protocol form is for."""
    pair = np.stack([WAVE, WAVE + 0.4])
    apart = [pair, pair + 50.0]
    assert cmc_of_cycles(apart) == pytest.approx(cmc_of_cycles([pair]), abs=1e-9)
    assert cmc_of_cycles([np.concatenate(apart, axis=1)]) > 0.999


def test_cmc_is_undefined_with_its_reason() -> None:
    opposite = cmc(column(-WAVE), column(WAVE), BOUNDED)
    assert opposite.reasons == ("truth and estimate differ more than they move",)
    assert np.isnan(opposite.values[0])
    still = np.zeros(40)
    assert cmc(column(still), column(still), BOUNDED).reasons == ("neither truth nor estimate moves",)
    assert cmc(column(still + 1), column(still), BOUNDED).reasons == opposite.reasons
    assert cmc(column(WAVE[:2]), column(WAVE[:2]), BOUNDED).reasons == ("fewer than 3 frames",)
    with pytest.raises(Undefined, match="fewer"):
        cmc_of_cycles([])


def test_missing_frames_are_counted() -> None:
    estimated = WAVE.copy()
    estimated[[3, 17]] = np.nan
    for measure in (cmc, pearson_rho):
        found = measure(column(estimated), column(WAVE), BOUNDED)
        assert found.values[0] == pytest.approx(1)
        assert (found.num_frames.tolist(), found.num_failed.tolist()) == ([40], [2])
