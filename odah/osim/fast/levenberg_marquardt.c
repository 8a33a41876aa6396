/* Projected Levenberg-Marquardt of many small problems, one in each lane of the vectors; a lane whose frame is
   solved takes the next one. What a lane computes does not depend on its neighbours.

   Steps are Gauss-Newton's as long as they halve the cost, then Newton's: where a coordinate is told by little
   more than the noise (a forearm's rotation), Gauss-Newton converges slowly or not at all.

   All inputs are finite numbers.

   Stands after generated code: types T, V, I; NUM_FREE, NUM_MARKERS, NUM_MATRIX, NUM_SHARED, NUM_SHARED_GROUPS,
   NUM_GROUPS; group_rows, group_starts, NUM_ROWS of the framewise inputs; prepare(), evaluate(), take_step(). */

enum { UNCONVERGED, CONVERGED, TOO_FAR };

static const T FIRST_DAMPING = 0.1, LEAST_DAMPING = 1e-12, MOST_DAMPING = 1e8;
static const T LESS_DAMPING = 0.1, MORE_DAMPING = 10; /* factors after steps that do not, and do, raise the cost */
static const T SLOW = 0.5; /* of the cost: what is left after a step that calls for Newton's */
/* Of the largest diagonal entry: keeps a direction that no residual sees where it is. */
static const T FLOOR = 1e-11, TINY = 1e-30;

typedef struct {
  const T *start, *lower, *upper, *shared;
  const T *rows[NUM_GROUPS]; /* null where all are zero */
  int64_t start_stride, strides[NUM_GROUPS];
  T *x, *costs, *distances;
  int64_t *iterations;
  uint8_t *outcomes;
  int64_t num_frames, next;
} Work;

typedef struct {
  V x[NUM_FREE], gradient[NUM_FREE], scale[NUM_FREE], matrix[NUM_MATRIX], squares[NUM_MARKERS], cost;
} Point;

typedef struct {
  V rows[NUM_ROWS];
  V trial[NUM_FREE], damping, curvature;
  int64_t frame[WIDTH], iterations[WIDTH]; /* frame -1: none is left */
} Lanes;

#define AT(vector, lane) ((T *)&(vector))[lane]

INLINE V least(V a, V b) { return choose(a < b, a, b); }
INLINE V most(V a, V b) { return choose(a > b, a, b); }

static void take_next(Work *work, Lanes *lanes, Point *best, int lane) {
  const int64_t frame = work->next < work->num_frames ? work->next++ : -1;
  lanes->frame[lane] = frame;
  lanes->iterations[lane] = 0;
  if (frame < 0) return;
  AT(best->cost, lane) = INFINITY;
  AT(lanes->damping, lane) = FIRST_DAMPING;
  AT(lanes->curvature, lane) = 0;
  for (int p = 0; p < NUM_FREE; p++) {
    const T x = work->start[frame * work->start_stride + p];
    const T inside = x < work->lower[p] ? work->lower[p] : x > work->upper[p] ? work->upper[p] : x;
    AT(best->x[p], lane) = AT(lanes->trial[p], lane) = inside;
  }
  for (int g = 0; g < NUM_GROUPS; g++)
    if (work->rows[g])
      for (int row = 0; row < group_rows[g]; row++)
        AT(lanes->rows[group_starts[g] + row], lane) = work->rows[g][frame * work->strides[g] + row];
}

static void give(Work *work, const Lanes *lanes, const Point *best, int lane, int outcome) {
  const int64_t frame = lanes->frame[lane];
  for (int p = 0; p < NUM_FREE; p++) work->x[frame * NUM_FREE + p] = AT(best->x[p], lane);
  for (int m = 0; m < NUM_MARKERS; m++)
    work->distances[frame * NUM_MARKERS + m] = sqrt(AT(best->squares[m], lane));
  work->costs[frame] = AT(best->cost, lane);
  work->iterations[frame] = lanes->iterations[lane];
  work->outcomes[frame] = outcome;
}

/* The trial of the lanes that are `fresh` stays; elsewhere it becomes a step from the best point. */
static void step_from(const Work *work, const Point *best, Lanes *lanes, I fresh) {
  V keep[NUM_FREE], floor = {}, added[NUM_FREE], step[NUM_FREE];
  for (int p = 0; p < NUM_FREE; p++) {
    const I below = (best->x[p] <= work->lower[p]) & (best->gradient[p] > 0);
    const I above = (best->x[p] >= work->upper[p]) & (best->gradient[p] < 0);
    keep[p] = choose(below | above, ALL(0), ALL(1));
    floor = most(floor, best->scale[p]);
  }
  floor = floor * FLOOR + TINY;
  for (int p = 0; p < NUM_FREE; p++) added[p] = lanes->damping * best->scale[p] + floor;
  take_step(best->matrix, best->gradient, keep, added, step);
  for (int p = 0; p < NUM_FREE; p++) {
    const V moved = best->x[p] + step[p];
    const V inside = most(least(moved, ALL(work->upper[p])), ALL(work->lower[p]));
    lanes->trial[p] = choose(fresh, lanes->trial[p], inside);
  }
}

/* The best point of each lane after its trial has been evaluated. */
static void accept(Point **best, Point **tried, I better) {
  if (!any(~better)) {
    Point *swapped = *best;
    *best = *tried;
    *tried = swapped;
    return;
  }
  V *kept = (V *)*best;
  const V *other = (const V *)*tried;
  for (int k = 0; k < (int)(sizeof(Point) / sizeof(V)); k++) kept[k] = choose(better, other[k], kept[k]);
}

static void solve_all(Work *work, T tolerance, int64_t max_iterations) {
  static const I none = {};
  Point points[2] = {}, *best = &points[0], *tried = &points[1];
  Lanes lanes = {};
  I fresh = ~none;
  int num_busy = 0;
  for (int lane = 0; lane < WIDTH; lane++) {
    take_next(work, &lanes, best, lane);
    num_busy += lanes.frame[lane] >= 0;
  }
  while (num_busy) {
    V moved = {};
    for (int p = 0; p < NUM_FREE; p++) {
      const V change = lanes.trial[p] - best->x[p];
      moved = most(moved, most(change, -change));
      tried->x[p] = lanes.trial[p];
    }
    const I far = evaluate(work->shared, lanes.trial, &lanes.curvature, lanes.rows,
                           &tried->cost, tried->gradient, tried->scale, tried->matrix, tried->squares);
    const I better = (tried->cost <= best->cost) & ~far;
    const V less = most(lanes.damping * LESS_DAMPING, ALL(LEAST_DAMPING)), more = lanes.damping * MORE_DAMPING;
    lanes.damping = choose(fresh, lanes.damping, choose(better, less, more));
    lanes.curvature = choose(better & (tried->cost > best->cost * SLOW), ALL(1), ALL(0));
    const I small = (moved <= tolerance) & (tried->cost == tried->cost); /* is a number */
    accept(&best, &tried, better);
    for (int lane = 0; lane < WIDTH; lane++) {
      if (lanes.frame[lane] < 0) continue;
      int is_done = 0, outcome = UNCONVERGED;
      if (fresh[lane]) {
        if (far[lane]) is_done = 1, outcome = TOO_FAR;
      } else {
        lanes.iterations[lane]++;
        if (small[lane]) is_done = 1, outcome = CONVERGED;
        else is_done = lanes.iterations[lane] >= max_iterations || AT(lanes.damping, lane) > MOST_DAMPING;
      }
      fresh[lane] = 0;
      if (!is_done) continue;
      give(work, &lanes, best, lane, outcome);
      take_next(work, &lanes, best, lane);
      fresh[lane] = -1;
      num_busy -= lanes.frame[lane] < 0;
    }
    step_from(work, best, &lanes, fresh);
  }
}

/* in: start, lower, upper, shared inputs, framewise inputs. Returns 1 if shared angles are too large. */
int kernel(const T *const *in, const int64_t *in_stride, T *x, T *costs, T *distances, int64_t *iterations,
           uint8_t *outcomes, int64_t num_frames, double tolerance, int64_t max_iterations) {
  T shared[NUM_SHARED];
  Work work = {.start = in[0], .lower = in[1], .upper = in[2], .shared = shared, .start_stride = in_stride[0],
               .x = x, .costs = costs, .distances = distances, .iterations = iterations, .outcomes = outcomes,
               .num_frames = num_frames};
  for (int g = 0; g < NUM_GROUPS; g++) {
    work.rows[g] = in[3 + NUM_SHARED_GROUPS + g];
    work.strides[g] = in_stride[3 + NUM_SHARED_GROUPS + g];
  }
  if (prepare(in + 3, shared)) return 1;
  solve_all(&work, tolerance, max_iterations);
  return 0;
}
