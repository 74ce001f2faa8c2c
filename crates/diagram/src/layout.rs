//! Where boxes and lines go: layers from left to right, few crossings, no two boxes on one spot. Deterministic.
//!
//! The classic layered method: cycles are opened by turning a line round (it is drawn the right way again at the end), every box gets the
//! layer of its longest way from the left, a line that passes a layer gets a place of its own there, each layer is ordered by the
//! barycentres of its neighbours, and then every box comes as near to its neighbours as its layer's order lets it.

use std::collections::VecDeque;

/// Layers at most; what would lie further right shares the last one.
const MAX_LAYERS: usize = 24;
/// Rounds of ordering and of placing.
const ROUNDS: usize = 12;
/// Space between two boxes of a layer.
const BOX_GAP: f64 = 12.0;
/// Space around a line that passes a layer.
const LINE_GAP: f64 = 11.0;

/// A box to place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Item {
    pub(crate) width: f64,
    pub(crate) height: f64,
    /// It stands in this layer or further right.
    pub(crate) layer: usize,
    /// It stands just before what it leads to, rather than as far left as it may.
    pub(crate) late: bool,
}

/// Where a box came to lie: its upper left corner.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Place {
    pub(crate) x: f64,
    pub(crate) y: f64,
}

/// The way of a line.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Route {
    /// Points from its start to its end: the first and last lie at its boxes; between them come pairs, left and right edge of a layer it passes.
    pub(crate) points: Vec<(f64, f64)>,
    /// Both ends are in one layer, so the line leaves and arrives on the right.
    pub(crate) beside: bool,
}

/// What came out.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Layout {
    pub(crate) places: Vec<Place>,
    pub(crate) routes: Vec<Route>,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

/// A spot in a layer: a box, or where a line passes.
struct Spot {
    layer: usize,
    height: f64,
    is_box: bool,
    before: Vec<usize>,
    after: Vec<usize>,
    y: f64,
}

/// Places `items`; `edges` are pairs of different indices into them.
pub(crate) fn layout(items: &[Item], edges: &[(usize, usize)]) -> Layout {
    let turned = cycle_edges(items, edges);
    let forward: Vec<(usize, usize)> =
        edges.iter().zip(&turned).map(|(&(from, to), &turn)| if turn { (to, from) } else { (from, to) }).collect();
    let layers = layers(items, &forward);
    let count = layers.iter().max().map_or(0, |last| last + 1);

    let mut spots: Vec<Spot> = items
        .iter()
        .zip(&layers)
        .map(|(item, &layer)| Spot {
            layer,
            height: item.height,
            is_box: true,
            before: Vec::new(),
            after: Vec::new(),
            y: 0.0,
        })
        .collect();
    // For each line the spots it goes through, its ends included; empty where both ends share a layer.
    let mut ways: Vec<Vec<usize>> = Vec::with_capacity(forward.len());
    for &(from, to) in &forward {
        let (first, last) = (layers[from], layers[to]);
        let mut way = Vec::new();
        if first < last {
            way.push(from);
            for layer in first + 1..last {
                way.push(spots.len());
                spots.push(Spot { layer, height: 0.0, is_box: false, before: Vec::new(), after: Vec::new(), y: 0.0 });
            }
            way.push(to);
            for pair in way.windows(2) {
                spots[pair[0]].after.push(pair[1]);
                spots[pair[1]].before.push(pair[0]);
            }
        }
        ways.push(way);
    }

    let rows = order(&spots, count);
    place(&mut spots, &rows);

    // Columns: as wide as their widest box, with more room between them where lines climb higher.
    let mut widths = vec![0.0_f64; count];
    for (item, &layer) in items.iter().zip(&layers) {
        widths[layer] = widths[layer].max(item.width);
    }
    let mut climbs = vec![0.0_f64; count];
    for spot in &spots {
        for &next in &spot.after {
            climbs[spot.layer] = climbs[spot.layer].max((spots[next].y - spot.y).abs());
        }
    }
    let mut lefts = Vec::with_capacity(count);
    let mut x = 0.0;
    for layer in 0..count {
        lefts.push(x);
        let gap = (38.0 + 0.16 * climbs[layer]).clamp(46.0, 130.0);
        x += widths[layer] + if layer + 1 < count { gap } else { 0.0 };
    }

    let places: Vec<Place> =
        spots[..items.len()].iter().map(|spot| Place { x: lefts[spot.layer], y: spot.y - spot.height / 2.0 }).collect();
    let ports = ports(items, &spots, &forward, &ways);
    let mut height = places.iter().zip(items).map(|(place, item)| place.y + item.height).fold(0.0, f64::max);
    let mut right = x;
    let mut routes = Vec::with_capacity(edges.len());
    for (index, way) in ways.iter().enumerate() {
        let (from, to) = forward[index];
        let (leave, arrive) = ports[index];
        let start = (places[from].x + items[from].width, leave);
        let beside = way.is_empty();
        let end = (places[to].x + if beside { items[to].width } else { 0.0 }, arrive);
        let mut points = vec![start];
        for &spot in way.iter().skip(1).take(way.len().saturating_sub(2)) {
            let spot = &spots[spot];
            points.push((lefts[spot.layer], spot.y));
            points.push((lefts[spot.layer] + widths[spot.layer], spot.y));
            height = height.max(spot.y);
        }
        points.push(end);
        if beside {
            right = right.max(start.0.max(end.0) + 56.0);
        }
        if turned[index] {
            points.reverse();
        }
        routes.push(Route { points, beside });
    }
    Layout { places, routes, width: right, height }
}

/// Which edges would close a cycle, found by a walk that starts on the left.
fn cycle_edges(items: &[Item], edges: &[(usize, usize)]) -> Vec<bool> {
    let mut after: Vec<Vec<(usize, usize)>> = vec![Vec::new(); items.len()];
    for (index, &(from, to)) in edges.iter().enumerate() {
        after[from].push((to, index));
    }
    let mut starts: Vec<usize> = (0..items.len()).collect();
    starts.sort_by_key(|&index| items[index].layer);
    let mut turned = vec![false; edges.len()];
    // 0 not seen, 1 on the way, 2 done.
    let mut state = vec![0_u8; items.len()];
    for start in starts {
        if state[start] != 0 {
            continue;
        }
        state[start] = 1;
        let mut stack = vec![(start, 0)];
        while let Some((node, next)) = stack.last_mut() {
            let node = *node;
            let Some(&(to, index)) = after[node].get(*next) else {
                state[node] = 2;
                stack.pop();
                continue;
            };
            *next += 1;
            match state[to] {
                0 => {
                    state[to] = 1;
                    stack.push((to, 0));
                }
                1 => turned[index] = true,
                _ => {}
            }
        }
    }
    turned
}

/// The layer of each item: its longest way from the left; numbered without holes.
fn layers(items: &[Item], edges: &[(usize, usize)]) -> Vec<usize> {
    let mut after: Vec<Vec<usize>> = vec![Vec::new(); items.len()];
    let mut waiting = vec![0_usize; items.len()];
    for &(from, to) in edges {
        after[from].push(to);
        waiting[to] += 1;
    }
    let mut ready: VecDeque<usize> = (0..items.len()).filter(|&index| waiting[index] == 0).collect();
    let mut sequence = Vec::with_capacity(items.len());
    let mut layer: Vec<usize> = items.iter().map(|item| item.layer.min(MAX_LAYERS - 1)).collect();
    while let Some(node) = ready.pop_front() {
        sequence.push(node);
        for &to in &after[node] {
            layer[to] = layer[to].max((layer[node] + 1).min(MAX_LAYERS - 1));
            waiting[to] -= 1;
            if waiting[to] == 0 {
                ready.push_back(to);
            }
        }
    }
    for &node in sequence.iter().rev().filter(|&&node| items[node].late) {
        if let Some(next) = after[node].iter().map(|&to| layer[to]).min() {
            layer[node] = layer[node].max(next.saturating_sub(1));
        }
    }
    let mut used = [false; MAX_LAYERS];
    for &layer in &layer {
        used[layer] = true;
    }
    let mut number = [0; MAX_LAYERS];
    let mut next = 0;
    for (layer, used) in used.into_iter().enumerate() {
        number[layer] = next;
        next += usize::from(used);
    }
    layer.into_iter().map(|layer| number[layer]).collect()
}

/// The order of the spots in each layer: barycentre sweeps, of which the state with the fewest crossings wins.
fn order(spots: &[Spot], count: usize) -> Vec<Vec<usize>> {
    let mut rows: Vec<Vec<usize>> = vec![Vec::new(); count];
    for row in first_order(spots) {
        rows[spots[row].layer].push(row);
    }
    let mut best = (crossings(spots, &rows), rows.clone());
    for round in 0..ROUNDS {
        let rightwards = round % 2 == 0;
        let mut position = positions(spots, &rows);
        for step in 0..count {
            let layer = if rightwards { step } else { count - 1 - step };
            let mut keyed: Vec<(f64, usize)> = rows[layer]
                .iter()
                .map(|&spot| {
                    let near = if rightwards { &spots[spot].before } else { &spots[spot].after };
                    (barycentre(near, &position).unwrap_or(position[spot]), spot)
                })
                .collect();
            keyed.sort_by(|left, right| left.0.total_cmp(&right.0));
            rows[layer] = keyed.into_iter().map(|(_, spot)| spot).collect();
            set_positions(&rows[layer], &mut position);
        }
        let now = crossings(spots, &rows);
        if now < best.0 {
            best = (now, rows.clone());
        }
    }
    best.1
}

/// The order in which a walk from the left meets the spots: neighbours start out near each other.
fn first_order(spots: &[Spot]) -> Vec<usize> {
    let mut starts: Vec<usize> = (0..spots.len()).filter(|&index| spots[index].is_box).collect();
    starts.sort_by_key(|&index| spots[index].layer);
    let mut seen = vec![false; spots.len()];
    let mut sequence = Vec::with_capacity(spots.len());
    for start in starts {
        let mut stack = vec![start];
        while let Some(spot) = stack.pop() {
            if std::mem::replace(&mut seen[spot], true) {
                continue;
            }
            sequence.push(spot);
            stack.extend(spots[spot].after.iter().rev().filter(|&&next| !seen[next]));
        }
    }
    sequence
}

fn positions(spots: &[Spot], rows: &[Vec<usize>]) -> Vec<f64> {
    let mut position = vec![0.0; spots.len()];
    for row in rows {
        set_positions(row, &mut position);
    }
    position
}

/// Positions run from 0 to 1 in each layer, so that layers of different lengths compare.
fn set_positions(row: &[usize], position: &mut [f64]) {
    for (index, &spot) in row.iter().enumerate() {
        position[spot] = (index as f64 + 0.5) / row.len() as f64;
    }
}

/// The mean height of neighbours, each with the less weight the more lines it has.
fn pull<'a>(spots: &[Spot], near: impl Iterator<Item = &'a usize>) -> Option<f64> {
    let (mut sum, mut weights) = (0.0, 0.0);
    for &index in near {
        let spot = &spots[index];
        let weight = 1.0 / (spot.before.len() + spot.after.len()).max(1) as f64;
        sum += spot.y * weight;
        weights += weight;
    }
    (weights > 0.0).then(|| sum / weights)
}

fn barycentre(near: &[usize], value: &[f64]) -> Option<f64> {
    (!near.is_empty()).then(|| near.iter().map(|&index| value[index]).sum::<f64>() / near.len() as f64)
}

/// How many pairs of lines cross, over all layers.
fn crossings(spots: &[Spot], rows: &[Vec<usize>]) -> u64 {
    let mut rank = vec![0_usize; spots.len()];
    for row in rows {
        for (index, &spot) in row.iter().enumerate() {
            rank[spot] = index;
        }
    }
    let mut total = 0;
    for (layer, row) in rows.iter().enumerate() {
        let Some(next) = rows.get(layer + 1) else { break };
        // A Fenwick tree over the next layer counts the lines that already end further down.
        let mut tree = vec![0_u64; next.len() + 1];
        let mut placed = 0;
        for &spot in row {
            let mut ends: Vec<usize> = spots[spot].after.iter().map(|&end| rank[end]).collect();
            ends.sort_unstable();
            for &end in &ends {
                let (mut at, mut above) = (end + 1, 0);
                while at > 0 {
                    above += tree[at];
                    at &= at - 1;
                }
                total += placed - above;
            }
            for end in ends {
                let mut at = end + 1;
                while at < tree.len() {
                    tree[at] += 1;
                    at += at & at.wrapping_neg();
                }
                placed += 1;
            }
        }
    }
    total
}

/// Gives every spot the vertical middle that its neighbours ask for, as far as the order and the gaps of its layer let it.
fn place(spots: &mut [Spot], rows: &[Vec<usize>]) {
    for row in rows {
        let wanted = vec![0.0; row.len()];
        settle(spots, row, &wanted);
    }
    for round in 0..ROUNDS * 2 {
        let rightwards = round % 2 == 0;
        let last = round + 6 >= ROUNDS * 2;
        for step in 0..rows.len() {
            let row = &rows[if rightwards { step } else { rows.len() - 1 - step }];
            let value: Vec<f64> = spots.iter().map(|spot| spot.y).collect();
            let wanted: Vec<f64> = row
                .iter()
                .map(|&index| {
                    let spot = &spots[index];
                    let (first, second) =
                        if rightwards { (&spot.before, &spot.after) } else { (&spot.after, &spot.before) };
                    if last {
                        // A neighbour with few lines pulls harder than a hub: a route stands beside its function, not its API.
                        return pull(spots, first.iter().chain(second)).unwrap_or(spot.y);
                    }
                    barycentre(first, &value).or_else(|| barycentre(second, &value)).unwrap_or(spot.y)
                })
                .collect();
            settle(spots, row, &wanted);
        }
    }
    let top = spots.iter().map(|spot| spot.y - spot.height / 2.0).fold(f64::INFINITY, f64::min);
    for spot in spots {
        spot.y -= top;
    }
}

/// The places nearest to `wanted` (least squares) that keep the order and the gaps: neighbours that want the same room are pooled.
fn settle(spots: &mut [Spot], row: &[usize], wanted: &[f64]) {
    let mut offset = 0.0;
    let mut offsets = Vec::with_capacity(row.len());
    // Each pool: the sum of where its members want it, how many they are.
    let mut pools: Vec<(f64, f64)> = Vec::with_capacity(row.len());
    for (index, &spot) in row.iter().enumerate() {
        if let Some(&previous) = index.checked_sub(1).and_then(|before| row.get(before)) {
            let (above, below) = (&spots[previous], &spots[spot]);
            let gap = if above.is_box && below.is_box { BOX_GAP } else { LINE_GAP };
            offset += above.height / 2.0 + gap + below.height / 2.0;
        }
        offsets.push(offset);
        let mut pool = (wanted[index] - offset, 1.0);
        while let Some(&(sum, count)) = pools.last() {
            if sum / count < pool.0 / pool.1 {
                break;
            }
            pool = (pool.0 + sum, pool.1 + count);
            pools.pop();
        }
        pools.push(pool);
    }
    let mut index = 0;
    for (sum, count) in pools {
        for _ in 0..count as usize {
            spots[row[index]].y = sum / count + offsets[index];
            index += 1;
        }
    }
}

/// At which height each line leaves and arrives: spread over the sides of its boxes in the order of what is on the other side.
fn ports(items: &[Item], spots: &[Spot], edges: &[(usize, usize)], ways: &[Vec<usize>]) -> Vec<(f64, f64)> {
    let mut ports: Vec<(f64, f64)> = edges.iter().map(|&(from, to)| (spots[from].y, spots[to].y)).collect();
    // Per box and side: (height of the next spot, edge, whether it is the edge's start).
    let mut sides: Vec<[Vec<(f64, usize, bool)>; 2]> = vec![[Vec::new(), Vec::new()]; items.len()];
    for (index, (&(from, to), way)) in edges.iter().zip(ways).enumerate() {
        let second = way.get(1).map_or(spots[to].y, |&spot| spots[spot].y);
        let last = way.len().checked_sub(2).and_then(|at| way.get(at)).map_or(spots[from].y, |&spot| spots[spot].y);
        sides[from][1].push((second, index, true));
        // A line beside its layer arrives on the right.
        sides[to][usize::from(way.is_empty())].push((last, index, false));
    }
    for (node, sides) in sides.into_iter().enumerate() {
        for mut side in sides {
            if side.len() < 2 {
                continue;
            }
            side.sort_by(|left, right| left.0.total_cmp(&right.0).then(left.1.cmp(&right.1)));
            let (room, count) = ((items[node].height - 14.0).max(0.0), side.len() as f64);
            let step = (room / (count - 1.0)).min(7.0);
            for (place, (_, edge, start)) in side.into_iter().enumerate() {
                let y = spots[node].y + (place as f64 - (count - 1.0) / 2.0) * step;
                if start {
                    ports[edge].0 = y;
                } else {
                    ports[edge].1 = y;
                }
            }
        }
    }
    ports
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(layer: usize) -> Item {
        Item { width: 100.0, height: 40.0, layer, late: false }
    }

    /// A generator of numbers that is the same everywhere.
    fn next(state: &mut u64) -> usize {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(*state >> 40).unwrap()
    }

    fn overlap(layout: &Layout, items: &[Item]) -> Option<(usize, usize)> {
        for left in 0..items.len() {
            for right in left + 1..items.len() {
                let (a, b) = (layout.places[left], layout.places[right]);
                let apart = a.x + items[left].width <= b.x + 1e-6
                    || b.x + items[right].width <= a.x + 1e-6
                    || a.y + items[left].height <= b.y + 1e-6
                    || b.y + items[right].height <= a.y + 1e-6;
                if !apart {
                    return Some((left, right));
                }
            }
        }
        None
    }

    #[test]
    fn no_two_boxes_share_a_spot_and_no_line_runs_through_a_box_whatever_the_graph() {
        let mut state = 7;
        for round in 0..60 {
            let count = 1 + next(&mut state) % 60;
            let items: Vec<Item> = (0..count)
                .map(|_| Item {
                    width: 60.0 + (next(&mut state) % 100) as f64,
                    height: 20.0 + (next(&mut state) % 40) as f64,
                    layer: next(&mut state) % 5,
                    late: next(&mut state).is_multiple_of(3),
                })
                .collect();
            let edges: Vec<(usize, usize)> = (0..next(&mut state) % (2 * count))
                .map(|_| (next(&mut state) % count, next(&mut state) % count))
                .filter(|(from, to)| from != to)
                .collect();
            let layout = layout(&items, &edges);
            assert_eq!(overlap(&layout, &items), None, "round {round}");
            assert_eq!(layout.routes.len(), edges.len());
            for (route, &(from, to)) in layout.routes.iter().zip(&edges) {
                let inside = |at: usize, x: f64| {
                    x >= layout.places[at].x - 1e-6 && x <= layout.places[at].x + items[at].width + 1e-6
                };
                assert!(inside(from, route.points[0].0), "round {round}: {from} -> {to} starts elsewhere");
                assert!(inside(to, route.points.last().unwrap().0), "round {round}: {from} -> {to} ends elsewhere");
                for pair in route.points[1..route.points.len() - 1].chunks(2) {
                    for (place, item) in layout.places.iter().zip(&items) {
                        let y = pair[0].1;
                        let (left, right) = (pair[0].0.min(pair[1].0), pair[0].0.max(pair[1].0));
                        let through =
                            y > place.y && y < place.y + item.height && right > place.x && left < place.x + item.width;
                        assert!(!through, "round {round}: {from} -> {to} runs through a box");
                    }
                }
            }
            assert_eq!(layout, super::layout(&items, &edges), "round {round}: not the same twice");
        }
    }

    #[test]
    fn what_leads_to_something_stands_left_of_it_even_around_a_cycle() {
        // queue -> worker -> table -> stream reader -> queue
        let layout = layout(&[item(1), item(3), item(4), item(3)], &[(0, 1), (1, 2), (2, 3), (3, 0)]);
        let x: Vec<f64> = layout.places.iter().map(|place| place.x).collect();
        assert!(x[0] < x[1] && x[1] < x[2] && x[2] < x[3], "{x:?}");
        // The line that closes the cycle still runs from the reader to the queue.
        let back = &layout.routes[3].points;
        assert!(back[0].0 >= x[3] && back.last().unwrap().0 <= x[0] + 100.0, "{back:?}");
    }

    #[test]
    fn lines_that_need_not_cross_do_not() {
        let items: Vec<Item> = (0..6).map(|index| item(usize::from(index >= 3))).collect();
        let layout = layout(&items, &[(0, 5), (1, 4), (2, 3)]);
        let y: Vec<f64> = layout.places.iter().map(|place| place.y).collect();
        for (left, right) in [(0, 1), (1, 2), (0, 2)] {
            assert_eq!(y[left] < y[right], y[5 - left] < y[5 - right], "{y:?}");
        }
    }

    #[test]
    fn a_chain_longer_than_the_page_is_wide_still_ends() {
        let items = vec![item(0); 300];
        let edges: Vec<(usize, usize)> = (0..299).map(|index| (index, index + 1)).collect();
        let layout = layout(&items, &edges);
        assert_eq!(overlap(&layout, &items), None);
        assert!(layout.routes.iter().any(|route| route.beside));
    }

    #[test]
    fn nothing_gives_an_empty_page() {
        let layout = layout(&[], &[]);
        assert_eq!((layout.places.len(), layout.width, layout.height), (0, 0.0, 0.0));
    }
}
