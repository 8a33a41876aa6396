import numpy as np
import pytest

from odah.dataset.report.cameras import camera_uses
from odah.scene.camera import Camera, look_at


def labels_of(cameras: list[Camera], right: tuple, left: tuple) -> dict[str, np.ndarray]:
    return {
        "T_world_ground": np.eye(4),
        "joints": np.array([[right, left]], float),
        "T_cam_world": np.array([camera.T_cam_world for camera in cameras]),
        "K": np.array([camera.K for camera in cameras]),
    }


@pytest.mark.parametrize(
    ("place", "azimuth_deg"), [((4, 1, 1.3), 0), ((1, -2, 1.3), -90), ((1, 5, 1.3), 90), ((3, 3, 1.3), 45)]
)
def test_azimuth_is_from_where_the_person_faces_towards_their_left(place: tuple, azimuth_deg: float) -> None:
    """The person stands at (1, 1) and faces +x, so that their right is at -y."""
    camera = Camera.from_lens("a", look_at(place, (1, 1, 0.9)), 160, 96)
    labels = labels_of([camera], right=(1, 0.9, 0.9), left=(1, 1.1, 0.9))
    (use,) = camera_uses(labels, ["hip_r", "hip_l"], ["a"], np.array([0]))
    assert np.rad2deg(use.azimuth[0]) == pytest.approx(azimuth_deg, abs=1e-6)
    assert use.distance[0] == pytest.approx(np.hypot(place[0] - 1, place[1] - 1))
    assert use.height == pytest.approx(1.3)
    depth = np.linalg.norm(np.array(place) - (1, 1, 0.9))
    assert use.mm_per_px[0] == pytest.approx(1e3 * depth / camera.K[0, 0])
