//! Texts with `%{...}` in them, split once when the rules are read.

use std::collections::HashMap;

use super::variable::Variable;

/// The names of transaction variables, each with a number. Names are compared without case.
#[derive(Debug, Default)]
pub(crate) struct Names {
    numbers: HashMap<Vec<u8>, u32>,
    names: Vec<Vec<u8>>,
}

impl Names {
    /// The names in the order of their numbers.
    pub(crate) fn list(&self) -> &[Vec<u8>] {
        &self.names
    }

    /// Numbers names anew, as they were before.
    pub(crate) fn from_list(names: Vec<Vec<u8>>) -> Names {
        let numbers = names.iter().enumerate().map(|(number, name)| (name.clone(), number as u32)).collect();
        Names { numbers, names }
    }

    pub(crate) fn number(&mut self, name: &[u8]) -> u32 {
        let lower = name.to_ascii_lowercase();
        if let Some(&number) = self.numbers.get(&lower) {
            return number;
        }
        let number = self.names.len() as u32;
        self.names.push(lower.clone());
        self.numbers.insert(lower, number);
        number
    }

    pub(crate) fn find(&self, lower: &[u8]) -> Option<u32> {
        self.numbers.get(lower).copied()
    }

    pub(crate) fn name(&self, number: u32) -> Option<&[u8]> {
        self.names.get(number as usize).map(Vec::as_slice)
    }

    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }
}

/// A part of a [`Template`].
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) enum Piece {
    Literal(Vec<u8>),
    /// A transaction variable.
    Slot(u32),
    /// Any other variable with a selector in lower case.
    Variable(Variable, Vec<u8>),
}

/// A text with macros.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub(crate) struct Template {
    pub(crate) pieces: Vec<Piece>,
}

impl Template {
    /// Splits a text. Macros nobody knows stay as they were written, and are told by name.
    pub(crate) fn new(text: &str, names: &mut Names) -> (Template, Vec<String>) {
        let mut pieces: Vec<Piece> = Vec::new();
        let mut unknown = Vec::new();
        let mut rest = text;
        while let Some(start) = rest.find("%{") {
            let Some(length) = rest.get(start..).and_then(|inside| inside.find('}')) else { break };
            let name = rest.get(start + 2..start + length).unwrap_or_default();
            push_literal(&mut pieces, rest.get(..start).unwrap_or_default());
            let (collection, selector) = name.split_once(['.', ':']).unwrap_or((name, ""));
            match Variable::named(collection) {
                Some(Variable::Tx) => pieces.push(Piece::Slot(names.number(selector.as_bytes()))),
                Some(variable) => pieces.push(Piece::Variable(variable, selector.to_ascii_lowercase().into_bytes())),
                None => {
                    unknown.push(name.to_string());
                    push_literal(&mut pieces, rest.get(start..=start + length).unwrap_or_default());
                }
            }
            rest = rest.get(start + length + 1..).unwrap_or_default();
        }
        push_literal(&mut pieces, rest);
        (Template { pieces }, unknown)
    }

    /// The text, when there is no macro in it.
    pub(crate) fn literal(&self) -> Option<&[u8]> {
        match self.pieces.as_slice() {
            [] => Some(b""),
            [Piece::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// The transaction variable, when the text is nothing else.
    pub(crate) fn slot(&self) -> Option<u32> {
        match self.pieces.as_slice() {
            [Piece::Slot(slot)] => Some(*slot),
            _ => None,
        }
    }
}

fn push_literal(pieces: &mut Vec<Piece>, text: &str) {
    if text.is_empty() {
        return;
    }
    if let Some(Piece::Literal(last)) = pieces.last_mut() {
        last.extend_from_slice(text.as_bytes());
    } else {
        pieces.push(Piece::Literal(text.as_bytes().to_vec()));
    }
}
