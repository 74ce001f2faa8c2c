//! Values of a template that may depend on what only deployment knows: text with holes.

use serde::Serialize;
use std::fmt;

/// A piece of a [`Value`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Known text.
    Text(String),
    /// `!Ref Resource`: the resource's own identifier (for many a name, for queues a URL, for topics an ARN).
    Ref(String),
    /// `!GetAtt Resource.Attribute`.
    Attribute(String, String),
    /// A template parameter without a default.
    Parameter(String),
    /// A pseudo parameter: `AWS::Region`, `AWS::AccountId`, `AWS::Partition`, `AWS::StackName`, ...
    Pseudo(String),
    /// Something that can't be told from the template; the text says why (`Fn::ImportValue SharedTable`).
    Unknown(String),
}

/// Text made of known and unknown parts, in order. Neighbouring text is joined.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize)]
pub struct Value {
    parts: Vec<Part>,
}

impl Value {
    /// A value that is known text.
    pub fn text(text: impl Into<String>) -> Self {
        let mut value = Self::default();
        value.push(Part::Text(text.into()));
        value
    }

    /// A value of one part.
    pub fn part(part: Part) -> Self {
        let mut value = Self::default();
        value.push(part);
        value
    }

    /// A value that can't be told, and why.
    pub fn unknown(why: impl Into<String>) -> Self {
        Self::part(Part::Unknown(why.into()))
    }

    /// Appends a part.
    pub fn push(&mut self, part: Part) {
        match (self.parts.last_mut(), part) {
            (_, Part::Text(more)) if more.is_empty() => {}
            (Some(Part::Text(text)), Part::Text(more)) => text.push_str(&more),
            (_, part) => self.parts.push(part),
        }
    }

    /// Appends all parts of another value.
    pub fn extend(&mut self, other: Value) {
        for part in other.parts {
            self.push(part);
        }
    }

    /// The parts in order; none for the empty text.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The whole text, if all of it is known.
    pub fn as_text(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// The resource it is a `Ref` or an attribute of, if it is nothing but that.
    pub fn resource(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [Part::Ref(name) | Part::Attribute(name, _)] => Some(name),
            _ => None,
        }
    }

    /// Every resource that any part names.
    pub fn resources(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Ref(name) | Part::Attribute(name, _) => Some(name.as_str()),
            _ => None,
        })
    }

    /// Whether any part can't be told from the template.
    pub fn has_unknown(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Unknown(_)))
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

/// As a template would write it: `arn:aws:s3:::${Bucket}/*`, `${Table.Arn}`, `${AWS::Region}`; `?` for what can't be told.
impl fmt::Display for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.parts {
            match part {
                Part::Text(text) => formatter.write_str(text)?,
                Part::Ref(name) | Part::Parameter(name) | Part::Pseudo(name) => write!(formatter, "${{{name}}}")?,
                Part::Attribute(name, attribute) => write!(formatter, "${{{name}.{attribute}}}")?,
                Part::Unknown(_) => formatter.write_str("?")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_joined_and_holes_are_shown_as_a_template_would() {
        let mut value = Value::text("arn:");
        value.push(Part::Text("aws:s3:::".into()));
        assert_eq!(value.parts().len(), 1);
        value.push(Part::Ref("Bucket".into()));
        value.push(Part::Text("/*".into()));
        assert_eq!(value.to_string(), "arn:aws:s3:::${Bucket}/*");
        assert_eq!(value.as_text(), None);
        assert_eq!(value.resources().collect::<Vec<_>>(), ["Bucket"]);
    }
}
