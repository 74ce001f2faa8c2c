//! The application graph as a picture: SVG with a layout of its own, Mermaid, DOT, and JSON for other programs.
//!
//! Read from left to right: who sends, what events come in by, the functions, what they may act on. All text comes from templates
//! that anyone may have written, so it is escaped for the language it goes into and cut to its room.
//!
//! Deliberately absent: pages around the picture (`scan` and `console` have those), scripts, judgement.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod dot;
mod icons;
mod json;
mod layout;
mod mermaid;
mod picture;
mod reach;
mod svg;
#[cfg(test)]
mod tests;
mod text;

pub use dot::dot;
pub use json::json;
pub use mermaid::mermaid;
pub use picture::{describe, kind_words, pattern_words, trigger_words};
pub use reach::{Access, accesses, wide_actions};
pub use svg::{Options, svg};
pub use text::{escape, visible};

/// The style sheet of [`svg`]: colours are custom properties on `:root` (`--diagram-public`, ..) with a light and a dark set that
/// follows `prefers-color-scheme`.
pub fn css() -> &'static str {
    include_str!("style.css")
}
