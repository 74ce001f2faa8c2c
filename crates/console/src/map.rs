//! The map: what starts each function on the left, the functions with their fence around them, what they reach on the right.
//! Laid out here, once per page; the script only makes it blink.

use crate::html::{Html, encode, put, shorten};
use crate::layout;
use fence::FunctionFence;
use graph::{Application, Exposure, ResourceKind};
use std::collections::BTreeMap;
use watch::Summary;

/// Nodes of one function that are drawn apart; the rest becomes one node that says how many there are.
const SIDE_NODES: usize = 6;

const WIDTH: f64 = 1000.0;
const SIDE_WIDTH: f64 = 236.0;
const CORE_LEFT: f64 = 382.0;
const CORE_WIDTH: f64 = 236.0;
const SIDE_HEIGHT: f64 = 30.0;
const CORE_HEIGHT: f64 = 58.0;
const SIDE_GAP: f64 = 10.0;
const CORE_GAP: f64 = 26.0;
const MARGIN: f64 = 14.0;

/// A node on either side.
#[derive(Debug)]
struct Side {
    label: String,
    kind: String,
    class: &'static str,
    /// The functions it is connected with, by their place in the middle, and the trigger kind for a node on the left.
    functions: Vec<usize>,
    y: f64,
}

/// A function in the middle.
#[derive(Debug)]
struct Core<'a> {
    name: &'a str,
    runtime: &'a str,
    exposure: Exposure,
    y: f64,
}

/// The map of an application, with the counters in it.
pub(crate) fn draw(application: &Application, fence: &fence::Fence, summary: &Summary) -> Html {
    let mut cores: Vec<Core<'_>> = application
        .functions
        .iter()
        .map(|function| Core {
            name: &function.name,
            runtime: function.runtime.as_ref().map_or("container", |runtime| runtime.value.as_str()),
            exposure: application.exposure(function),
            y: 0.0,
        })
        .collect();
    // The most exposed stand on top: that is where to look first. Within, the template's order.
    cores.sort_by_key(|core| std::cmp::Reverse(core.exposure));

    let mut left = sources(application, &cores);
    let mut right = targets(application, fence, &cores);
    let column = |nodes: usize, height: f64, gap: f64| {
        let nodes = f64::from(u32::try_from(nodes).unwrap_or(u32::MAX));
        nodes * (height + gap) - gap
    };
    let inner = column(cores.len(), CORE_HEIGHT, CORE_GAP)
        .max(column(left.len(), SIDE_HEIGHT, SIDE_GAP))
        .max(column(right.len(), SIDE_HEIGHT, SIDE_GAP))
        .max(CORE_HEIGHT);
    let height = inner + 2.0 * MARGIN;
    let core_places = spread(cores.len(), CORE_HEIGHT, CORE_GAP, inner, 1.6);
    for (core, y) in cores.iter_mut().zip(core_places) {
        core.y = y.round();
    }
    for side in [&mut left, &mut right] {
        settle(side, &cores, inner);
    }

    let mut html = Html::new();
    put!(
        html,
        "<svg class=\"map\" viewBox=\"0 0 ",
        (WIDTH),
        " ",
        (height.ceil()),
        "\" role=\"img\" aria-label=\"The application: triggers, functions, and what they reach\">"
    );
    edges(&mut html, &left, &cores, true);
    edges(&mut html, &right, &cores, false);
    for side in &left {
        side_node(&mut html, side, 0.0, true);
    }
    for side in &right {
        side_node(&mut html, side, WIDTH - SIDE_WIDTH, false);
    }
    for core in &cores {
        core_node(&mut html, core, summary);
    }
    html.raw("</svg>");
    html
}

/// What starts the functions: a node per route, and per resource that feeds some.
fn sources(application: &Application, cores: &[Core<'_>]) -> Vec<Side> {
    let mut nodes: Vec<Side> = Vec::new();
    let mut by_label: BTreeMap<(String, String), usize> = BTreeMap::new();
    for (place, core) in cores.iter().enumerate() {
        // Readers tell of a URL twice, as a trigger as well; once is enough here.
        let told = application.triggers_of(core.name).any(|trigger| trigger.kind == graph::TriggerKind::FunctionUrl);
        let url =
            application.function(core.name).and_then(|function| function.url.as_ref()).filter(|_| !told).map(|url| {
                let class = match url.auth {
                    graph::UrlAuth::None => Exposure::Public,
                    graph::UrlAuth::Iam | graph::UrlAuth::Unknown => Exposure::Authenticated,
                };
                ("function URL".to_owned(), "function-url".to_owned(), class)
            });
        let triggers = application.triggers_of(core.name).map(|trigger| {
            let resource = trigger.source.as_ref().and_then(graph::Value::resource);
            let label = match resource {
                Some(resource) if trigger.path.is_none() => resource.to_owned(),
                _ if trigger.kind == graph::TriggerKind::FunctionUrl => "function URL".to_owned(),
                // The kind stands at the other end of the node.
                _ => {
                    let label = trigger.label();
                    let bare = label.strip_prefix(trigger.kind.name()).map(|rest| rest.trim_start().to_owned());
                    bare.filter(|rest| !rest.is_empty()).unwrap_or(label)
                }
            };
            (label, trigger.kind.name().to_owned(), trigger.exposure())
        });
        let all: Vec<_> = triggers.chain(url).collect();
        let rest = all.len().saturating_sub(SIDE_NODES);
        let shown = if rest > 1 { SIDE_NODES } else { all.len() };
        for (label, kind, exposure) in all.iter().take(shown).cloned() {
            // Two functions with a URL of their own don't share it.
            let key = if kind == "function-url" || kind == "schedule" {
                (label.clone(), format!("{kind} {place}"))
            } else {
                (label.clone(), kind.clone())
            };
            let at = *by_label.entry(key).or_insert_with(|| {
                nodes.push(Side { label, kind, class: exposure.name(), functions: Vec::new(), y: 0.0 });
                nodes.len() - 1
            });
            connect(&mut nodes, at, place);
        }
        if rest > 1 {
            let widest = all.iter().skip(shown).map(|(_, _, exposure)| *exposure).max();
            nodes.push(more(rest, widest.unwrap_or(Exposure::None).name(), place));
        }
    }
    nodes
}

/// What the functions reach by their fence: resources, hosts, other functions.
fn targets(application: &Application, fence: &fence::Fence, cores: &[Core<'_>]) -> Vec<Side> {
    let mut nodes: Vec<Side> = Vec::new();
    let mut by_label: BTreeMap<(String, String), usize> = BTreeMap::new();
    let nothing = FunctionFence::default();
    for (place, core) in cores.iter().enumerate() {
        let lines = fence.functions.get(core.name).unwrap_or(&nothing);
        let mut all: Vec<(String, String, &'static str)> = Vec::new();
        for permission in lines.permissions.iter().filter(|line| !line.denies()) {
            let service = permission.action().split(':').next().unwrap_or_default();
            let kind = application.resource(&permission.on).map_or(service, |resource| match resource.kind {
                ResourceKind::Other => service,
                known => known.name(),
            });
            let (label, class) = if permission.on == "*" {
                (format!("{service}: any"), "wide")
            } else {
                (permission.on.clone(), "resource")
            };
            all.push((label, kind.to_owned(), class));
        }
        for line in &lines.network {
            all.push((line.host.clone(), format!("port {}", line.port), "host"));
        }
        for name in &lines.invokes {
            all.push((name.clone(), "function".to_owned(), "resource"));
        }
        all.sort();
        all.dedup();
        let rest = all.len().saturating_sub(SIDE_NODES);
        let shown = if rest > 1 { SIDE_NODES } else { all.len() };
        for (label, kind, class) in all.iter().take(shown).cloned() {
            let at = *by_label.entry((label.clone(), kind.clone())).or_insert_with(|| {
                nodes.push(Side { label, kind, class, functions: Vec::new(), y: 0.0 });
                nodes.len() - 1
            });
            connect(&mut nodes, at, place);
        }
        if rest > 1 {
            nodes.push(more(rest, "resource", place));
        }
    }
    nodes
}

fn connect(nodes: &mut [Side], at: usize, place: usize) {
    if let Some(node) = nodes.get_mut(at)
        && !node.functions.contains(&place)
    {
        node.functions.push(place);
    }
}

fn more(rest: usize, class: &'static str, place: usize) -> Side {
    Side { label: format!("{rest} more"), kind: String::new(), class, functions: vec![place], y: 0.0 }
}

/// The tops of so many nodes in a column of `inner`, centred, with gaps up to `most` times the usual ones where there is room.
fn spread(nodes: usize, height: f64, gap: f64, inner: f64, most: f64) -> Vec<f64> {
    if nodes == 0 {
        return Vec::new();
    }
    let count = f64::from(u32::try_from(nodes).unwrap_or(u32::MAX));
    let room = (inner - count * height) / (count - 1.0).max(1.0);
    let gap = room.clamp(gap.min(room), gap * most);
    let used = count * height + (count - 1.0) * gap;
    let top = MARGIN + (inner - used) / 2.0;
    (0..u32::try_from(nodes).unwrap_or(u32::MAX)).map(|place| top + f64::from(place) * (height + gap)).collect()
}

/// Orders a side by the middle of what each node is connected with, and puts it as near to that as its neighbours let it.
fn settle(side: &mut [Side], cores: &[Core<'_>], inner: f64) {
    let wish = |node: &Side| {
        let connected: Vec<f64> = node
            .functions
            .iter()
            .filter_map(|place| cores.get(*place))
            .map(|core| core.y + CORE_HEIGHT / 2.0)
            .collect();
        let count = f64::from(u32::try_from(connected.len()).unwrap_or(u32::MAX)).max(1.0);
        connected.iter().sum::<f64>() / count - SIDE_HEIGHT / 2.0
    };
    side.sort_by(|one, other| wish(one).total_cmp(&wish(other)).then_with(|| one.label.cmp(&other.label)));
    let step = SIDE_HEIGHT + SIDE_GAP;
    // Nodes that want the same place share it: each group is centred on the mean of its wishes, and groups that
    // would overlap become one.
    let mut groups: Vec<(f64, Vec<f64>)> = Vec::new();
    let place_of = |wishes: &[f64]| {
        let count = f64::from(u32::try_from(wishes.len()).unwrap_or(u32::MAX));
        let mean = wishes.iter().sum::<f64>() / count;
        let length = count * step - SIDE_GAP;
        (mean + SIDE_HEIGHT / 2.0 - length / 2.0).clamp(MARGIN, (MARGIN + inner - length).max(MARGIN))
    };
    for node in side.iter() {
        let mut wishes = vec![wish(node)];
        let mut top = place_of(&wishes);
        while let Some((above, their)) = groups.pop() {
            let end = above + f64::from(u32::try_from(their.len()).unwrap_or(u32::MAX)) * step;
            if end <= top {
                groups.push((above, their));
                break;
            }
            let mut joined = their;
            joined.append(&mut wishes);
            wishes = joined;
            top = place_of(&wishes);
        }
        groups.push((top, wishes));
    }
    let places = groups.iter().flat_map(|(top, wishes)| {
        (0..u32::try_from(wishes.len()).unwrap_or(u32::MAX)).map(move |at| top + f64::from(at) * step)
    });
    for (node, y) in side.iter_mut().zip(places) {
        // Whole units keep the letters sharp.
        node.y = y.round();
    }
}

/// The lines between a side and the middle. At a function they arrive one beside the other, in the order they come from.
fn edges(html: &mut Html, side: &[Side], cores: &[Core<'_>], into: bool) {
    for (place, core) in cores.iter().enumerate() {
        let connected: Vec<&Side> = side.iter().filter(|node| node.functions.contains(&place)).collect();
        let count = f64::from(u32::try_from(connected.len()).unwrap_or(u32::MAX));
        for (order, node) in connected.iter().enumerate() {
            let order = f64::from(u32::try_from(order).unwrap_or(u32::MAX));
            let core_y = core.y + CORE_HEIGHT * (order + 1.0) / (count + 1.0);
            let side_y = node.y + SIDE_HEIGHT / 2.0;
            let (from_x, from_y, to_x, to_y) = if into {
                (SIDE_WIDTH, side_y, CORE_LEFT - 5.0, core_y)
            } else {
                (CORE_LEFT + CORE_WIDTH + 5.0, core_y, WIDTH - SIDE_WIDTH, side_y)
            };
            let bend = (to_x - from_x) * 0.5;
            put!(
                html,
                "<path class=\"edge ",
                (if into { node.class } else { "out" }),
                "\" data-function=\"",
                (core.name),
                "\" data-kind=\"",
                (if into { node.kind.as_str() } else { "" }),
                "\" d=\"M",
                (round(from_x)),
                " ",
                (round(from_y)),
                "C",
                (round(from_x + bend)),
                " ",
                (round(from_y)),
                " ",
                (round(to_x - bend)),
                " ",
                (round(to_y)),
                " ",
                (round(to_x)),
                " ",
                (round(to_y)),
                "\"/>"
            );
        }
    }
}

fn round(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

fn side_node(html: &mut Html, node: &Side, x: f64, left: bool) {
    // Of 236 units, dot and margins take 44; a letter of the kind takes about 6 and one of the label 6.6.
    let room = (192_usize.saturating_sub(node.kind.chars().count() * 6) * 10 / 66).max(8);
    put!(
        html,
        "<g class=\"side ",
        (node.class),
        "\"><title>",
        (node.label),
        " ",
        (node.kind),
        "</title>\
        <rect x=\"",
        (x + 0.5),
        "\" y=\"",
        (round(node.y)),
        "\" width=\"",
        (SIDE_WIDTH - 1.0),
        "\" height=\"",
        (SIDE_HEIGHT),
        "\" rx=\"6\"/>"
    );
    if left {
        put!(html, "<circle cx=\"", (x + 14.0), "\" cy=\"", (round(node.y + SIDE_HEIGHT / 2.0)), "\" r=\"3.5\"/>");
    }
    let text_x = if left { x + 26.0 } else { x + 12.0 };
    put!(
        html,
        "<text x=\"",
        (text_x),
        "\" y=\"",
        (round(node.y + 19.5)),
        "\">",
        (shorten(&node.label, room)),
        "</text>\
        <text class=\"kind\" x=\"",
        (x + SIDE_WIDTH - 10.0),
        "\" y=\"",
        (round(node.y + 19.0)),
        "\" text-anchor=\"end\">",
        (node.kind),
        "</text></g>"
    );
}

fn core_node(html: &mut Html, core: &Core<'_>, summary: &Summary) {
    let counts = summary.functions.get(core.name).cloned().unwrap_or_default();
    let (x, y) = (CORE_LEFT, round(core.y));
    put!(
        html,
        "<a href=\"/function/",
        (encode(core.name)),
        "\"><g class=\"core ",
        (core.exposure.name()),
        "\" data-core=\"",
        (core.name),
        "\">\
        <title>",
        (core.name),
        ": ",
        (core.exposure.name()),
        "</title>\
        <rect class=\"ring\" x=\"",
        (x - 5.0),
        "\" y=\"",
        (y - 5.0),
        "\" width=\"",
        (CORE_WIDTH + 10.0),
        "\" height=\"",
        (CORE_HEIGHT + 10.0),
        "\" rx=\"13\"/>\
        <rect class=\"box\" x=\"",
        (x),
        "\" y=\"",
        (y),
        "\" width=\"",
        (CORE_WIDTH),
        "\" height=\"",
        (CORE_HEIGHT),
        "\" rx=\"9\"/>\
        <text class=\"name\" x=\"",
        (x + 14.0),
        "\" y=\"",
        (y + 24.0),
        "\">",
        (shorten(core.name, 22)),
        "</text>\
        <text class=\"kind\" x=\"",
        (x + CORE_WIDTH - 12.0),
        "\" y=\"",
        (y + 23.5),
        "\" text-anchor=\"end\">",
        (shorten(core.runtime, 14)),
        "</text>\
        <text class=\"count\" x=\"",
        (x + 14.0),
        "\" y=\"",
        (y + 44.0),
        "\"><tspan data-count=\"",
        (core.name),
        "/invocations\">",
        (layout::number(counts.invocations)),
        "</tspan> events</text><text class=\"count stopped\""
    );
    if counts.stopped == 0 {
        html.raw(" data-zero");
    }
    put!(
        html,
        " x=\"",
        (x + CORE_WIDTH - 12.0),
        "\" y=\"",
        (y + 44.0),
        "\" text-anchor=\"end\"><tspan data-count=\"",
        (core.name),
        "/stopped\">",
        (layout::number(counts.stopped)),
        "</tspan> stopped</text></g></a>"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn core(y: f64) -> Core<'static> {
        Core { name: "F", runtime: "python3.13", exposure: Exposure::Public, y }
    }

    #[test]
    fn nodes_of_a_side_never_overlap_and_stay_inside() {
        let cores: Vec<Core<'_>> = (0..5).map(|at| core(MARGIN + f64::from(at) * 84.0)).collect();
        let mut side: Vec<Side> = (0..9)
            .map(|at| Side {
                label: format!("{at}"),
                kind: String::new(),
                class: "public",
                functions: vec![if at < 7 { 0 } else { 4 }],
                y: 0.0,
            })
            .collect();
        let inner = 5.0 * 84.0 - CORE_GAP;
        settle(&mut side, &cores, inner);
        for pair in side.windows(2) {
            assert!(pair[1].y - pair[0].y >= SIDE_HEIGHT + SIDE_GAP - 0.001, "{side:?}");
        }
        assert!(side[0].y >= MARGIN);
        assert!(side[8].y + SIDE_HEIGHT <= MARGIN + inner + 0.001);
    }

    #[test]
    fn an_empty_and_a_single_column_are_fine() {
        assert!(spread(0, 10.0, 5.0, 100.0, 2.0).is_empty());
        assert_eq!(spread(1, 10.0, 5.0, 100.0, 2.0), [MARGIN + 45.0]);
        settle(&mut [], &[], 0.0);
    }
}
