"""Marker inverse kinematics of one frame as graphs of arithmetic: evaluation and step.

Lengths are inputs, so that all people scaled from one generic model share their code; axes, orientations and
the shapes of functions are numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator

import numpy as np

from odah.osim.fast.emit_c import Program
from odah.osim.fast.expressions import Expression, Graph
from odah.osim.fast.point_masses import PointMasses, Screw, Wrench, cross, dot
from odah.osim.fast.pullback import pullback
from odah.osim.fast.skeleton_graph import Scalar, SkeletonGraph
from odah.osim.fast.sparse_solve import Entry, entry, solve
from odah.osim.functions import unwrap
from odah.osim.ik.problem import IkProblem
from odah.osim.model import GROUND, Coupler, Joint, Marker, Model, TransformAxis
from odah.osim.scale import scales_with_parent

SHARED = ("lengths", "fixed")
FRAMEWISE = ("measured", "weights", "moving", "targets", "target_weights")
"""Inputs besides the solved-for coordinates `x`: for all frames, and frame by frame."""


class ParameterLengths:
    """A model's lengths as inputs `lengths`; `of` reads them, in the order of use, off any model like it.

    Offsets of joints that are zero stay so, whatever the scale, and are no inputs.
    """

    def __init__(self, graph: Graph, model: Model) -> None:
        self.graph = graph
        self._joints = {joint.name: j for j, joint in enumerate(model.joints)}
        self._markers = {marker.name: m for m, marker in enumerate(model.markers)}
        self._couplers = {coupler.name: c for c, coupler in enumerate(model.couplers)}
        self._readers: list[Callable[[Model], float]] = []

    def of(self, model: Model) -> np.ndarray:
        """(n,) the lengths of a model of the same structure."""
        return np.array([read(model) for read in self._readers], dtype=np.float64)

    def parent_offset(self, joint: Joint) -> np.ndarray:
        j = self._joints[joint.name]
        return self._vector(joint.T_parent[:3, 3], lambda model, k: model.joints[j].T_parent[k, 3])

    def child_offset(self, joint: Joint) -> np.ndarray:
        j = self._joints[joint.name]
        return self._vector(joint.T_child[:3, 3], lambda model, k: model.joints[j].T_child[k, 3])

    def marker(self, marker: Marker) -> np.ndarray:
        m = self._markers[marker.name]
        return self._vector(np.ones(3), lambda model, k: model.markers[m].offset[k])

    def translation_factor(self, joint: Joint, axis: TransformAxis) -> Scalar:
        if not scales_with_parent(axis):
            return unwrap(axis.function)[0]
        j, i = self._joints[joint.name], [other is axis for other in joint.translations].index(True)
        return self._input(lambda model: unwrap(model.joints[j].translations[i].function)[0])

    def coupler_factor(self, coupler: Coupler) -> Scalar:
        c = self._couplers[coupler.name]
        return self._input(lambda model: unwrap(model.couplers[c].function)[0] * model.couplers[c].scale)

    def _vector(self, values: np.ndarray, read: Callable[[Model, int], float]) -> np.ndarray:
        entries = [
            0.0 if value == 0 else self._input(lambda model, k=k: read(model, k))
            for k, value in enumerate(values)
        ]
        return np.array(entries, dtype=object)

    def _input(self, read: Callable[[Model], float]) -> Expression:
        self._readers.append(read)
        return self.graph.input("lengths", len(self._readers) - 1, varies=False)


def structure(problem: IkProblem) -> Hashable:
    """Equal for problems that share their code: all about a problem but its lengths and bounds."""
    model = problem.model
    axes = [
        (
            axis.axis.tobytes(),
            axis.coordinates,
            unwrap(axis.function)[1] if scales_with_parent(axis) and k >= 3 else axis.function,
        )
        for joint in model.joints
        for k, axis in enumerate((*joint.rotations, *joint.translations))
    ]
    joints = [
        (
            *(joint.name, joint.parent, joint.child, joint.coordinate_names),
            *((T[:3, :3].tobytes(), (T[:3, 3] == 0).tobytes()) for T in (joint.T_parent, joint.T_child)),
        )
        for joint in model.joints
    ]
    markers = [(marker.name, marker.body) for marker in model.markers]
    couplers = [
        (c.name, c.dependent, c.independent, unwrap(c.function)[1], c.is_enforced) for c in model.couplers
    ]
    free = problem.free.tobytes()
    return (model.coordinate_names, free, tuple(axes), tuple(joints), tuple(markers), tuple(couplers))


class IkProgram:
    """The cost of one frame, half its gradient, and half its second derivatives, exact or Gauss-Newton's.

    Where the input `curvature` is 0, `matrix` is J^T W J; where it is 1, the markers' own second derivatives
    are added: all but those of functions that are not linear, and between the axes of one joint that a single
    coordinate drives. `scale` is the diagonal of J^T W J, `squares` are the markers' squared distances.

    moving: numbers of the given coordinates that differ from frame to frame.
    """

    def __init__(self, problem: IkProblem, moving: tuple[int, ...]) -> None:
        self.problem, self.moving = problem, moving
        self.graph = Graph()
        num_free, num_markers = len(problem.free), len(problem.model.markers)
        self.x = self.graph.inputs("x", num_free, True)
        self.measured = self.graph.inputs("measured", 3 * num_markers, True).reshape(-1, 3)
        self.weights = self.graph.inputs("weights", num_markers, True)
        self.lengths = ParameterLengths(self.graph, problem.model)
        self.skeleton = SkeletonGraph(problem.model, self.lengths, self._coordinates(), is_anchored=True)
        self.curvature = self.graph.input("curvature", 0, True)
        self.cost: Scalar = 0.0
        self.squares: list[Scalar] = [0.0] * num_markers
        self.gradient: list[Scalar] = [0.0] * num_free
        self.scale: list[Scalar] = [0.0] * num_free
        # By entries that are not zero for certain, the diagonal first.
        self.matrix: dict[Entry, Scalar] = {(p, p): 0.0 for p in range(num_free)}
        self._joints = _joints_above_markers(problem.model)
        self._gather(GROUND)
        for joint in self._joints.get(GROUND, []):
            self._descend(joint, [])
        self._pull_to_targets()

    @property
    def fixed(self) -> tuple[int, ...]:
        """Numbers of the given coordinates that matter and are the same in all frames."""
        used = (node.payload for node in self.evaluation().used() if node.op == "input")
        return tuple(sorted(row for group, row in used if group == "fixed"))

    @property
    def row_counts(self) -> dict[str, int]:
        """Of the framewise inputs."""
        num_free, num_markers = len(self.problem.free), len(self.problem.model.markers)
        return dict(
            zip(FRAMEWISE, (3 * num_markers, num_markers, len(self.moving), num_free, num_free), strict=True)
        )

    def evaluation(self) -> Program:
        outputs = (
            ("cost", [self.cost]),
            ("gradient", self.gradient),
            ("scale", self.scale),
            ("matrix", list(self.matrix.values())),
            ("squares", self.squares),
        )
        return Program(self.graph, (*SHARED, "x", "curvature", *FRAMEWISE), outputs)

    def step(self) -> Program:
        """-(matrix + diag(added))^-1 gradient where `keep` is 1; 0 where it is 0."""
        graph = Graph()
        num_free = len(self.problem.free)
        rows = dict(zip(self.matrix, graph.inputs("matrix", len(self.matrix), True), strict=True))
        gradient, keep = graph.inputs("gradient", num_free, True), graph.inputs("keep", num_free, True)
        added = graph.inputs("added", num_free, True)
        for p in range(num_free):
            rows[p, p] = rows[p, p] + added[p]
        values = solve(rows, [-value for value in gradient], list(keep))
        return Program(graph, ("matrix", "gradient", "keep", "added"), (("step", values),))

    def _coordinates(self) -> dict[str, Scalar]:
        """The free ones, and the given ones that no coupler will replace."""
        free = dict(zip(self.problem.free.tolist(), self.x, strict=True))
        rows = {k: row for row, k in enumerate(self.moving)}

        def value(k: int) -> Scalar:
            if k in free:
                return free[k]
            if k in rows:
                return self.graph.input("moving", rows[k], True)
            return self.graph.input("fixed", k, False)

        return {name: value(k) for k, name in enumerate(self.problem.model.coordinate_names)}

    def _gather(self, body: str) -> PointMasses:
        """The markers of one body, and their costs."""
        total, skeleton = PointMasses.none(), self.skeleton
        for m, marker in enumerate(self.problem.model.markers):
            if marker.body == body:
                place = skeleton.point(body, self.lengths.marker(marker))
                error = self.measured[m] - skeleton.anchors[body] - place
                pull = error * self.weights[m]
                self.cost = self.cost + dot(error, pull)
                self.squares[m] = dot(error, error)
                total = total + PointMasses.one(self.weights[m], place, pull)
        return total

    def _descend(self, joint: Joint, above: list[tuple[int, Screw]]) -> PointMasses:
        """All that hangs on a joint; above: the screws of the joints on the way from ground."""
        self.skeleton.place(joint)
        own = list(self._screws(joint))
        total = self._gather(joint.child)
        for below in self._joints.get(joint.child, []):
            total = total + self._descend(below, above + own)
        for k, (p, screw) in enumerate(own):
            self.gradient[p] = self.gradient[p] - screw.on(total.pull)
            momentum = total.momentum(screw)
            bent = Wrench(momentum.moment - total.bending(screw) * self.curvature, momentum.force)
            for q, other in above + own[: k + 1]:
                # One coordinate may drive several joints: then both halves meet on the diagonal.
                twice = 2.0 if p == q and other is not screw else 1.0
                self.matrix[entry(p, q)] = self.matrix.get(entry(p, q), 0.0) + other.on(bent) * twice
                if p == q:
                    self.scale[p] = self.scale[p] + other.on(momentum) * twice
        return total

    def _screws(self, joint: Joint) -> Iterator[tuple[int, Screw]]:
        """How the child moves in its parent with each free coordinate that moves it."""
        centre, zeros = self.skeleton.centres[joint.name], np.zeros(3, dtype=object)
        screws: dict[int, Screw] = {}
        for motion in self.skeleton.motions[joint.name]:
            for p, slope in enumerate(pullback([(motion.amount, 1.0)], list(self.x))):
                if not isinstance(slope, Expression) and slope == 0:
                    continue
                along = motion.direction * slope
                screw = Screw(along, cross(centre, along)) if motion.is_turn else Screw(zeros, along)
                screws[p] = screws[p] + screw if p in screws else screw
        yield from screws.items()

    def _pull_to_targets(self) -> None:
        num_free = len(self.x)
        targets = self.graph.inputs("targets", num_free, True)
        weights = self.graph.inputs("target_weights", num_free, True)
        for p, (x, target, weight) in enumerate(zip(self.x, targets, weights, strict=True)):
            pull = weight * (x - target)
            self.cost = self.cost + pull * (x - target)
            self.gradient[p] = self.gradient[p] + pull
            self.matrix[p, p] = self.matrix[p, p] + weight
            self.scale[p] = self.scale[p] + weight


def _joints_above_markers(model: Model) -> dict[str, list[Joint]]:
    """The joints that move some marker, by parent body."""
    joint_of = {joint.child: joint for joint in model.joints}
    needed = set()
    for marker in model.markers:
        body = marker.body
        while body in joint_of and body not in needed:
            needed.add(body)
            body = joint_of[body].parent
    below: dict[str, list[Joint]] = {}
    for joint in model.joints:
        if joint.child in needed:
            below.setdefault(joint.parent, []).append(joint)
    return below
