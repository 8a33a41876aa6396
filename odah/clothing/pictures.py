"""Pictures by OpenCV, which only the `generate` extra brings: it is imported when one is at hand, so that
kinematics runs without."""

from __future__ import annotations

import numpy as np


def decoded(data: bytes) -> np.ndarray | None:
    """(H, W) or (H, W, channels), BGR, of any depth, of a PNG or JPEG; None for what is no picture."""
    import cv2

    if not data:
        return None
    try:
        return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:  # sizes beyond what the decoder takes
        return None


def resized(image: np.ndarray, width: int, height: int) -> np.ndarray:
    """The image at another size, averaged where it shrinks."""
    import cv2

    shrinks = width <= image.shape[1]
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def numbered_triangles(corners: np.ndarray, order: np.ndarray, size: int, subpixel_bits: int) -> np.ndarray:
    """(size, size) int32 number of the triangle that each pixel is in, -1 in none; later ones lie above.

    corners: (F, 3, 2) int32, px times 2**subpixel_bits. order: in which triangles are painted.
    """
    import cv2

    face_at = np.full((size, size), -1, np.int32)
    for index in order:
        cv2.fillConvexPoly(face_at, corners[index], int(index), shift=subpixel_bits)
    return face_at
