//! The reviewed file `exceptions.txt`: its form is described at its head. Reading it checks that every action exists;
//! the generators that use a line check the rest.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};

use super::actions::Actions;

/// How far a line's source can be checked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// The operation's documentation in the model has to name it.
    Model,
    /// Checked by the reviewer.
    Reviewed,
}

/// The actions an operation needs.
pub(crate) struct Needs {
    /// As the table of operations writes it.
    pub(crate) text: String,
    pub(crate) source: Source,
}

/// One more action, for certain arguments.
pub(crate) struct Also {
    pub(crate) action: String,
    pub(crate) arguments: Vec<String>,
    pub(crate) source: Source,
}

/// A function of an SDK.
pub(crate) struct Helper {
    pub(crate) key: String,
    pub(crate) client: String,
    pub(crate) operations: Vec<String>,
}

/// The file's lines by their sort.
#[derive(Default)]
pub(crate) struct Exceptions {
    /// Client to IAM prefix.
    pub(crate) prefixes: BTreeMap<String, String>,
    /// Client to the IAM prefix whose actions are HTTP methods.
    pub(crate) methods: BTreeMap<String, String>,
    /// By `client.Operation`.
    pub(crate) needs: BTreeMap<String, Needs>,
    /// By `client.Operation`.
    pub(crate) also: BTreeMap<String, Vec<Also>>,
    pub(crate) helpers: Vec<Helper>,
    /// By `client.Resource.member`, the operations.
    pub(crate) members: BTreeMap<String, Vec<String>>,
}

impl Exceptions {
    /// Reads the file's text.
    pub(crate) fn parse(text: &str, actions: &Actions) -> Result<Self> {
        let mut exceptions = Self::default();
        for (index, line) in text.lines().enumerate() {
            if !line.trim().is_empty() && !line.starts_with('#') {
                exceptions.line(line, actions).with_context(|| format!("exceptions.txt:{}", index + 1))?;
            }
        }
        Ok(exceptions)
    }

    fn line(&mut self, line: &str, actions: &Actions) -> Result<()> {
        let (sort, rest) = line.split_once(' ').context("no sort")?;
        let columns: Vec<&str> = rest.split('|').map(str::trim).collect();
        let (&source, columns) = columns.split_last().context("no columns")?;
        let source = match source {
            "model" => Source::Model,
            "actions" | "sentry" | "guide" | "boto3" | "aws-sdk" => Source::Reviewed,
            _ => bail!("unknown source {source:?}"),
        };
        let list = |text: &str, separator: char| -> Vec<String> {
            text.split(separator).map(|part| part.trim().to_owned()).collect()
        };
        let exists = |name: &str| -> Result<()> {
            ensure!(actions.named(name) == Some(name), "there is no action {name}");
            Ok(())
        };
        let fresh = match (sort, columns) {
            ("prefix", [client, prefix]) => {
                ensure!(actions.has_prefix(prefix), "no action has the prefix {prefix}");
                self.prefixes.insert((*client).to_owned(), (*prefix).to_owned()).is_none()
            }
            ("method", [client, prefix]) => self.methods.insert((*client).to_owned(), (*prefix).to_owned()).is_none(),
            ("needs", [operation, needed]) => {
                let separator = if needed.contains('/') { '/' } else { ',' };
                let names = list(needed, separator);
                if *needed != "-" {
                    names.iter().try_for_each(|name| exists(name))?;
                }
                let text = names.join(&separator.to_string());
                self.needs.insert((*operation).to_owned(), Needs { text, source }).is_none()
            }
            ("also", [operation, needed]) => {
                let (action, arguments) = needed.split_once('@').context("no arguments after `@`")?;
                exists(action.trim())?;
                let also = Also { action: action.trim().to_owned(), arguments: list(arguments, ','), source };
                self.also.entry((*operation).to_owned()).or_default().push(also);
                true
            }
            ("helper", [key, client, operations]) => {
                let operations = list(operations, ',');
                self.helpers.push(Helper { key: (*key).to_owned(), client: (*client).to_owned(), operations });
                true
            }
            ("member", [member, operations]) => {
                self.members.insert((*member).to_owned(), list(operations, ',')).is_none()
            }
            _ => bail!("unknown sort {sort:?}, or it has another number of columns"),
        };
        ensure!(fresh, "a second line for the same");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint(text: &str) -> String {
        let actions = Actions::from_names(["s3:GetObject", "s3:PutObject"]);
        Exceptions::parse(text, &actions).err().map_or_else(String::new, |error| format!("{error:#}"))
    }

    #[test]
    fn lines_are_read_by_their_sort() {
        let actions = Actions::from_names(["s3:GetObject", "s3:PutObject"]);
        let text = "# a comment\n\nneeds s3.CopyObject | s3:GetObject, s3:PutObject | model\n\
                    needs sts.GetCallerIdentity | - | guide\n\
                    also s3.HeadObject | s3:GetObject @ A, B | guide\n";
        let exceptions = Exceptions::parse(text, &actions).unwrap();
        assert_eq!(exceptions.needs["s3.CopyObject"].text, "s3:GetObject,s3:PutObject");
        assert!(exceptions.needs["s3.CopyObject"].source == Source::Model);
        assert_eq!(exceptions.needs["sts.GetCallerIdentity"].text, "-");
        assert_eq!(exceptions.also["s3.HeadObject"][0].arguments, ["A", "B"]);
    }

    #[test]
    fn a_line_that_claims_too_much_is_refused_with_its_number() {
        for (text, expected) in [
            ("\nneeds s3.HeadObject | s3:HeadObject | guide", "exceptions.txt:2: there is no action s3:HeadObject"),
            ("needs s3.X | s3:getobject | guide", "there is no action s3:getobject"),
            ("needs s3.X | s3:GetObject | hearsay", "unknown source"),
            ("needs s3.X | s3:GetObject", "unknown source"),
            ("also s3.X | s3:GetObject | guide", "no arguments"),
            ("prefix mturk | nosuch | guide", "no action has the prefix nosuch"),
            ("wants s3.X | s3:GetObject | guide", "unknown sort"),
            ("needs s3.X | - | guide\nneeds s3.X | - | guide", "exceptions.txt:2: a second line"),
        ] {
            assert!(complaint(text).contains(expected), "{text}: {}", complaint(text));
        }
    }
}
