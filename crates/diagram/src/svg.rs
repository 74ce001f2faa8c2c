//! The picture as SVG: no script, no inline style, nothing but escaped text from the template.

use crate::icons::icon;
use crate::layout::{Item, Layout, Route, layout};
use crate::picture::{Kind, Node, Picture, describe};
use crate::text::{self, escape, escape_lines, fit};
use graph::{Application, Exposure, FlowKind};
use std::fmt::Write;

/// How a picture is drawn.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The address behind a function, by its name: makes its box a link.
    pub link: Option<fn(&str) -> String>,
    /// What every `id` starts with, where several pictures share a page.
    pub prefix: String,
    /// Leave out the line that explains the colours.
    pub without_legend: bool,
}

/// Space around everything.
const MARGIN: f64 = 18.0;
/// Lines drawn at most; a template that has more is told so at the foot of the picture.
const MAX_LINES: usize = 4_000;
/// Boxes drawn at most.
const MAX_BOXES: usize = 1_500;

/// The application as an `<svg>` fragment. Style it with [`css`](crate::css).
///
/// Boxes carry the classes `node`, their kind and, for functions and entry points, their exposure, and `data-node` with the name the
/// template gives them; lines carry `data-from` and `data-to` with the ids of their boxes.
pub fn svg(application: &Application, options: &Options) -> String {
    let mut picture = Picture::of(application);
    let left_out = picture.limit(MAX_BOXES, MAX_LINES);
    let drawing = Drawing::new(&picture);
    let mut out = String::new();
    // Writing to a string can't fail.
    let _ = draw(&mut out, application, options, &drawing, left_out);
    out
}

/// A picture with a place for everything.
struct Drawing<'a> {
    picture: &'a Picture,
    /// Box, and its corner, width and height.
    boxes: Vec<(usize, f64, f64, f64, f64)>,
    routes: Vec<Route>,
    /// Where the boxes without lines begin, if there are any.
    loose: Option<f64>,
    width: f64,
    height: f64,
}

/// Height, least and greatest width and first layer of a box.
fn measures(kind: Kind, late: bool) -> (f64, f64, f64, usize) {
    match kind {
        Kind::Outside(_) => (44.0, 120.0, 140.0, 0),
        Kind::Source(_) => (44.0, 140.0, 230.0, 1),
        Kind::Entry(_) => (28.0, 130.0, 240.0, 2),
        Kind::Function => (48.0, 170.0, 260.0, 3),
        Kind::Role => (44.0, 150.0, 230.0, 4),
        Kind::Resource(_) => (44.0, 140.0, 230.0, if late { 1 } else { 4 }),
    }
}

/// How much room a box needs to show its text whole.
fn natural_width(node: &Node) -> f64 {
    let name = text::width(&node.name, if matches!(node.kind, Kind::Entry(_)) { 12.0 } else { 13.0 });
    let detail = text::width(&node.detail, 11.0);
    match node.kind {
        Kind::Entry(_) => name + detail + 56.0,
        Kind::Outside(_) => name.max(detail) + 58.0,
        _ => name.max(detail) + 50.0 + if node.wide { 22.0 } else { 0.0 },
    }
}

/// The boxes' sizes: all of a kind are as wide as the widest of them.
fn sizes(nodes: &[Node], late: impl Fn(usize) -> bool) -> Vec<Item> {
    let mut widest = [0.0_f64; 6];
    let slot = |kind| match kind {
        Kind::Outside(_) => 0,
        Kind::Source(_) => 1,
        Kind::Entry(_) => 2,
        Kind::Function => 3,
        Kind::Role => 4,
        Kind::Resource(_) => 5,
    };
    for node in nodes {
        widest[slot(node.kind)] = widest[slot(node.kind)].max(natural_width(node));
    }
    let item = |(index, node): (usize, &Node)| {
        let late = late(index);
        let (height, least, most, layer) = measures(node.kind, late);
        Item { width: widest[slot(node.kind)].clamp(least, most).round(), height, layer, late }
    };
    nodes.iter().enumerate().map(item).collect()
}

impl<'a> Drawing<'a> {
    fn new(picture: &'a Picture) -> Self {
        let connected = picture.connected();
        let mut starts = vec![false; picture.nodes.len()];
        let mut fed_by_function = vec![false; picture.nodes.len()];
        for edge in &picture.edges {
            starts[edge.from] |= edge.kind == FlowKind::Triggers;
            fed_by_function[edge.to] |= edge.kind == FlowKind::Accesses;
        }
        let drawn: Vec<usize> = (0..picture.nodes.len()).filter(|&index| connected[index]).collect();
        let mut slot = vec![0; picture.nodes.len()];
        for (place, &index) in drawn.iter().enumerate() {
            slot[index] = place;
        }
        let sizes = sizes(&picture.nodes, |index| match picture.nodes[index].kind {
            Kind::Entry(_) => true,
            Kind::Resource(_) | Kind::Source(_) => starts[index] && !fed_by_function[index],
            _ => false,
        });
        let items: Vec<Item> = drawn.iter().map(|&index| sizes[index]).collect();
        let ends: Vec<(usize, usize)> = picture.edges.iter().map(|edge| (slot[edge.from], slot[edge.to])).collect();
        let Layout { places, routes, width, height } = layout(&items, &ends);
        let mut boxes: Vec<(usize, f64, f64, f64, f64)> = drawn
            .iter()
            .zip(places)
            .zip(&items)
            .map(|((&index, place), item)| (index, place.x, place.y, item.width, item.height))
            .collect();

        // What nothing connects stands below, in rows: functions first.
        let mut rest: Vec<usize> = (0..picture.nodes.len()).filter(|&index| !connected[index]).collect();
        rest.sort_by_key(|&index| picture.nodes[index].kind != Kind::Function);
        let (mut width, mut height) = (width, height);
        let mut loose = None;
        if !rest.is_empty() {
            let top = if height > 0.0 { height + 40.0 } else { 0.0 };
            loose = Some(top);
            let room = width.max(900.0);
            let (mut x, mut y) = (0.0, top + 22.0);
            for index in rest {
                let item = sizes[index];
                if x > 0.0 && x + item.width > room {
                    x = 0.0;
                    y += 48.0 + 12.0;
                }
                boxes.push((index, x, y, item.width, item.height));
                x += item.width + 16.0;
                width = width.max(x - 16.0);
            }
            height = y + 48.0;
        }
        Self { picture, boxes, routes, loose, width: width.max(560.0), height }
    }
}

fn draw(
    out: &mut String,
    application: &Application,
    options: &Options,
    drawing: &Drawing<'_>,
    left_out: usize,
) -> std::fmt::Result {
    let prefix = escape(&options.prefix);
    let foot = if options.without_legend { 0.0 } else { 40.0 } + if left_out > 0 { 22.0 } else { 0.0 };
    let (width, height) = (drawing.width + 2.0 * MARGIN, drawing.height + 2.0 * MARGIN + foot);
    let name = escape(&application.name);
    write!(
        out,
        "<svg class=\"diagram\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" \
         height=\"{height:.0}\" role=\"group\" aria-label=\"Map of {name}\"><title>Map of {name}</title>"
    )?;
    let (dx, dy) = (MARGIN, MARGIN);
    // The public's lines come last, on top of the others.
    let mut sequence: Vec<usize> = (0..drawing.picture.edges.len()).collect();
    sequence.sort_by_key(|&index| drawing.picture.edges[index].public);
    out.push_str("<g class=\"edges\">");
    for index in sequence {
        let edge = &drawing.picture.edges[index];
        let Some(route) = drawing.routes.get(index) else { continue };
        let kind = if edge.kind == FlowKind::Triggers { "triggers" } else { "accesses" };
        let public = if edge.public { " public" } else { "" };
        let unused = if edge.unused { " unused" } else { "" };
        write!(
            out,
            "<g class=\"edge {kind}{public}{unused}\" data-from=\"{prefix}n{}\" data-to=\"{prefix}n{}\"><title>{}</title>",
            edge.from,
            edge.to,
            escape_lines(&drawing.picture.edge_title(edge))
        )?;
        line(out, route, edge.both, if edge.public { 1.3 } else { 1.0 }, dx, dy)?;
        out.push_str("</g>");
    }
    out.push_str("</g>");
    if let Some(top) = drawing.loose {
        write!(
            out,
            "<text class=\"heading\" x=\"{:.1}\" y=\"{:.1}\">Not connected by anything in the template</text>",
            dx,
            top + dy + 8.0
        )?;
    }
    out.push_str("<g class=\"nodes\">");
    for &(index, x, y, width, height) in &drawing.boxes {
        node(out, &drawing.picture.nodes[index], index, &prefix, options, (x + dx, y + dy, width, height))?;
    }
    out.push_str("</g>");
    let mut y = drawing.height + 2.0 * MARGIN + 14.0;
    if left_out > 0 {
        write!(
            out,
            "<text class=\"heading\" x=\"{dx:.1}\" y=\"{y:.1}\">{left_out} more boxes and lines are not drawn; the table has them</text>"
        )?;
        y += 22.0;
    }
    if !options.without_legend {
        legend(out, dx, y)?;
    }
    out.push_str("</svg>");
    Ok(())
}

/// A line through its points: level at every point, so that it leaves and arrives level; with an arrow head at its end.
fn line(out: &mut String, route: &Route, both: bool, scale: f64, dx: f64, dy: f64) -> std::fmt::Result {
    let points: Vec<(f64, f64)> = route.points.iter().map(|(x, y)| (x + dx, y + dy)).collect();
    let (Some(&first), Some(&last)) = (points.first(), points.last()) else { return Ok(()) };
    let head = 7.0 * scale;
    let rightwards = first.0 <= last.0;
    // The line ends within its arrow heads.
    let inset = head - 1.5;
    let into = if rightwards && !route.beside { -inset } else { inset };
    let start = (first.0 + if both { if rightwards { inset } else { -inset } } else { 0.0 }, first.1);
    let end = (last.0 + into, last.1);
    write!(out, "<path class=\"line\" d=\"M{:.1} {:.1}", start.0, start.1)?;
    if route.beside {
        let x = first.0.max(last.0) + 48.0;
        write!(out, "C{x:.1} {:.1} {x:.1} {:.1} {:.1} {:.1}", start.1, end.1, end.0, end.1)?;
    } else {
        let mut from = start;
        for (index, &to) in points.iter().enumerate().skip(1) {
            let to = if index + 1 == points.len() { end } else { to };
            if (from.1 - to.1).abs() < 0.1 {
                write!(out, "H{:.1}", to.0)?;
            } else {
                let middle = (from.0 + to.0) / 2.0;
                write!(out, "C{middle:.1} {:.1} {middle:.1} {:.1} {:.1} {:.1}", from.1, to.1, to.0, to.1)?;
            }
            from = to;
        }
    }
    out.push_str("\"/>");
    arrow(out, last, if into < 0.0 { -head } else { head }, scale)?;
    if both {
        arrow(out, first, if rightwards || route.beside { head } else { -head }, scale)?;
    }
    Ok(())
}

/// An arrow head at a point; its base lies `back` pixels to the side.
fn arrow(out: &mut String, (x, y): (f64, f64), back: f64, scale: f64) -> std::fmt::Result {
    let half = 3.4 * scale;
    write!(out, "<path class=\"arrow\" d=\"M{x:.1} {y:.1}l{back:.1} {:.1}v{:.1}z\"/>", -half, 2.0 * half)
}

fn node(
    out: &mut String,
    node: &Node,
    index: usize,
    prefix: &str,
    options: &Options,
    (x, y, width, height): (f64, f64, f64, f64),
) -> std::fmt::Result {
    let kind = match node.kind {
        Kind::Outside(_) => "outside",
        Kind::Source(_) => "source",
        Kind::Entry(_) => "entry",
        Kind::Function => "function",
        Kind::Role => "role",
        Kind::Resource(_) => "resource",
    };
    let link = options.link.filter(|_| node.kind == Kind::Function).map(|link| link(&node.name));
    if let Some(link) = &link {
        write!(out, "<a href=\"{}\">", escape(link))?;
    }
    let exposure = node.exposure.map_or("", Exposure::name);
    write!(
        out,
        "<g class=\"node {kind} {exposure}\" id=\"{prefix}n{index}\" data-node=\"{}\"><title>{}</title>",
        escape(&node.name),
        escape_lines(&node.title)
    )?;
    let radius = match node.kind {
        Kind::Outside(_) => height / 2.0,
        Kind::Entry(_) => 5.0,
        _ => 7.0,
    };
    write!(
        out,
        "<rect class=\"box\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"{radius:.1}\"/>"
    )?;
    if node.kind == Kind::Function {
        // The edge in the colour of the exposure follows the rounded corners.
        write!(
            out,
            "<path class=\"mark\" d=\"M{:.1} {y:.1}a7 7 0 0 0 -7 7v{:.1}a7 7 0 0 0 7 7z\"/>",
            x + 7.0,
            height - 14.0
        )?;
    }
    let inset = if matches!(node.kind, Kind::Outside(_)) { 14.0 } else { 11.0 };
    write!(
        out,
        "<path class=\"icon\" transform=\"translate({:.1} {:.1})\" d=\"{}\"/>",
        x + inset,
        y + height / 2.0 - 8.0,
        icon(node.kind)
    )?;
    let left = x + inset + 24.0;
    let mut room = x + width - 10.0 - left;
    if matches!(node.kind, Kind::Entry(_)) {
        if !node.detail.is_empty() {
            let more = fit(&node.detail, 11.0, 40.0);
            room -= text::width(&more, 11.0) + 8.0;
            write!(
                out,
                "<text class=\"more\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
                x + width - 10.0,
                y + height / 2.0 + 4.0,
                escape(&more)
            )?;
        }
        write!(
            out,
            "<text class=\"name\" x=\"{left:.1}\" y=\"{:.1}\">{}</text>",
            y + height / 2.0 + 4.0,
            escape(&fit(&node.name, 12.0, room))
        )?;
    } else {
        if node.wide {
            room -= 20.0;
            write!(
                out,
                "<g class=\"wide\"><circle cx=\"{0:.1}\" cy=\"{1:.1}\" r=\"8\"/><path d=\"M{0:.1} {2:.1}v7.2m-3.1 -5.4l6.2 3.6m0 -3.6l-6.2 3.6\"/></g>",
                x + width - 16.0,
                y + height / 2.0,
                y + height / 2.0 - 3.6
            )?;
        }
        write!(
            out,
            "<text class=\"name\" x=\"{left:.1}\" y=\"{:.1}\">{}</text><text class=\"detail\" x=\"{left:.1}\" y=\"{:.1}\">{}</text>",
            y + height / 2.0 - 3.5,
            escape(&fit(&node.name, 13.0, room)),
            y + height / 2.0 + 12.5,
            escape(&fit(&node.detail, 11.0, room))
        )?;
    }
    out.push_str("</g>");
    if link.is_some() {
        out.push_str("</a>");
    }
    Ok(())
}

/// What the colours mean.
fn legend(out: &mut String, x: f64, y: f64) -> std::fmt::Result {
    out.push_str("<g class=\"legend\">");
    let mut x = x;
    for exposure in [Exposure::Public, Exposure::Authenticated, Exposure::Fed, Exposure::Internal, Exposure::None] {
        let words = describe(exposure);
        write!(
            out,
            "<rect class=\"mark {}\" x=\"{x:.1}\" y=\"{:.1}\" width=\"10\" height=\"10\" rx=\"2\"/><text x=\"{:.1}\" y=\"{y:.1}\">{}</text>",
            exposure.name(),
            y - 9.0,
            x + 15.0,
            words
        )?;
        x += 15.0 + text::width(words, 11.0) + 14.0;
    }
    out.push_str("</g>");
    Ok(())
}
