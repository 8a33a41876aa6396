"""Rotations as least squares needs them."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from odah.body.so3 import left_jacobian_inverse, rotmat_to_rotvec, rotvec_to_rotmat


@given(seed=st.integers(0, 1000), angle=st.floats(0, 3.0))
def test_left_jacobian_inverse_agrees_with_finite_differences(seed, angle):
    rng = np.random.default_rng(seed)
    axis = rng.normal(size=3)
    rotvec = torch.from_numpy(angle * axis / np.linalg.norm(axis))
    step = 1e-6 * torch.eye(3, dtype=torch.float64)
    ahead, behind = (rotmat_to_rotvec(rotvec_to_rotmat(s * step) @ rotvec_to_rotmat(rotvec)) for s in (1, -1))
    torch.testing.assert_close(
        ((ahead - behind) / 2e-6).T, left_jacobian_inverse(rotvec), atol=1e-5, rtol=1e-5
    )
