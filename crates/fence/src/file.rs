//! `fence.yaml`: reading it, writing it, and bringing it up to date without losing what people wrote into it.

mod comments;
mod emit;
mod merge;

use crate::{Change, Fence, FunctionFence};
use serde_json::Value as Json;
use source::{Complaint, Document, FileId, Node};

/// What reading a fence gave.
#[derive(Debug, Clone)]
pub struct Reading {
    /// The fence; none where a complaint says why.
    pub fence: Option<Fence>,
    /// What is wrong with the file.
    pub complaints: Vec<Complaint>,
}

/// A fence brought up to date.
#[derive(Debug, Clone)]
pub struct Update {
    /// The new text of the file.
    pub text: String,
    /// The same as a value.
    pub fence: Fence,
    /// What changed, beyond evidence and layout.
    pub changes: Vec<Change>,
}

const TOP_KEYS: [&str; 3] = ["version", "functions", "schemas"];
const FUNCTION_KEYS: [&str; 11] = [
    "code",
    "mode",
    "perimeter",
    "events",
    "inputs",
    "permissions",
    "network",
    "processes",
    "files",
    "invokes",
    "unresolved",
];

/// Reads `fence.yaml` (or the same as JSON). Any complaint means that there is no fence: half a contract holds nothing.
pub fn read(file: FileId, text: &str) -> Reading {
    let document = Document::detect(file, text);
    read_document(&document)
}

fn read_document(document: &Document) -> Reading {
    let mut complaints = document.complaints.clone();
    let root = &document.root;
    if !root.is_mapping() && complaints.is_empty() {
        complaints.push(Complaint {
            span: root.span,
            message: "a fence is a mapping with `version` and `functions`".into(),
            help: Some("`ringfence fence PATH` writes one".into()),
        });
    }
    check_keys(root, &TOP_KEYS, "of a fence", &mut complaints);
    let version = root.get("version").map_or(Some(1), Node::as_i64);
    if version != Some(1) {
        complaints.push(Complaint {
            span: root.get("version").map_or(root.span, |node| node.span),
            message: "only version 1 of the fence's format is known".into(),
            help: Some("a newer Ringfence may have written this file".into()),
        });
    }
    let mut fence = Fence { version: 1, ..Fence::default() };
    for entry in root.get("functions").map_or(&[][..], Node::entries) {
        check_keys(&entry.value, &FUNCTION_KEYS, "of a function's fence", &mut complaints);
        match function(&entry.value) {
            Ok(function) => {
                fence.functions.insert(entry.key.clone(), function);
            }
            Err((span, message)) => {
                // YAML 1.1 takes a bare `on` for a boolean, and tools of that age write back what they understood.
                let help = message.contains("unknown field `true`").then(|| {
                    "a YAML 1.1 tool has turned `on` into `true`: write `on` again (`\"on\"` where such a tool reads it)".into()
                });
                complaints.push(Complaint { span, message, help });
            }
        }
    }
    for entry in root.get("schemas").map_or(&[][..], Node::entries) {
        fence.schemas.insert(entry.key.clone(), entry.value.to_json());
    }
    for (name, function) in &fence.functions {
        for event in &function.events {
            let Some(schema) = event.body.as_ref().and_then(crate::Body::referred) else { continue };
            if !fence.schemas.contains_key(schema) {
                let span = root.at(&["functions", name, "events"]).map_or(root.span, |node| node.span);
                complaints.push(Complaint {
                    span,
                    message: format!("`{name}` refers to the schema `{schema}`, which the fence doesn't have"),
                    help: Some("add it under `schemas:`".into()),
                });
            }
        }
    }
    Reading { fence: complaints.is_empty().then_some(fence), complaints }
}

/// A function's fence, or where and why it isn't one.
fn function(node: &Node) -> Result<FunctionFence, (source::Span, String)> {
    match parse(node) {
        Ok(function) => Ok(function),
        Err(message) => {
            // The smallest part that fails by itself is the place to point at.
            for section in node.entries() {
                for (index, item) in section.value.items().iter().enumerate() {
                    let mut alone = section.value.clone();
                    alone.kind = source::NodeKind::Sequence(vec![item.clone()]);
                    if let Err(message) = parse_section(&section.key, &alone) {
                        return Err((item.span, format!("`{}[{index}]`: {message}", section.key)));
                    }
                }
                if let Err(message) = parse_section(&section.key, &section.value) {
                    return Err((section.value.span, format!("`{}`: {message}", section.key)));
                }
            }
            Err((node.span, message))
        }
    }
}

fn parse(node: &Node) -> Result<FunctionFence, String> {
    let json = if node.is_null() { Json::Object(Default::default()) } else { node.to_json() };
    serde_json::from_value(json).map_err(|error| error.to_string())
}

fn parse_section(key: &str, value: &Node) -> Result<(), String> {
    let object = Json::Object([(key.to_string(), value.to_json())].into_iter().collect());
    serde_json::from_value::<FunctionFence>(object).map(|_| ()).map_err(|error| error.to_string())
}

fn check_keys(node: &Node, known: &[&str], of_what: &str, complaints: &mut Vec<Complaint>) {
    for entry in node.entries().iter().filter(|entry| !known.contains(&entry.key.as_str())) {
        complaints.push(Complaint {
            span: entry.key_span,
            message: format!("`{}` is no key {of_what}", entry.key),
            help: Some(format!("the keys are {}", known.join(", "))),
        });
    }
}

/// Brings `existing` (none for a new file) up to date with what was derived.
///
/// # Errors
/// The complaints about `existing` where it can't be read: a broken file is mended by a person, not overwritten.
pub fn update(existing: Option<&str>, derived: &Fence) -> Result<Update, Vec<Complaint>> {
    let Some(existing) = existing else {
        let merged = serde_json::to_value(derived).unwrap_or_default();
        let text = emit::emit(&merged, &comments::Comments::default());
        return Ok(Update { text, fence: derived.clone(), changes: crate::difference(&Fence::default(), derived) });
    };
    let document = Document::detect(FileId(0), existing);
    // A file that someone made and left empty is no contract yet, and none that could be lost.
    let empty = document.complaints.is_empty() && document.root.is_null();
    let reading = if empty {
        Reading { fence: Some(Fence::default()), complaints: Vec::new() }
    } else {
        read_document(&document)
    };
    let Some(before) = reading.fence else { return Err(reading.complaints) };
    let merged = merge::merge(&document.root.to_json(), &serde_json::to_value(derived).unwrap_or_default());
    let comments = comments::Comments::read(existing, &document.root);
    let mut text = emit::emit(&merged, &comments);
    if existing.contains("\r\n") {
        // A checkout on Windows: other line ends would make every line of the file a change.
        text = text.replace("\r\n", "\n").replace('\n', "\r\n");
    }
    // The text is what counts: what it says when it is read again is the new fence.
    let again = read(FileId(0), &text);
    match again.fence {
        Some(fence) => {
            let changes = crate::difference(&before, &fence);
            Ok(Update { text, fence, changes })
        }
        None => Err(again.complaints),
    }
}

/// The JSON Schema of `fence.yaml`, drawn from the types.
#[cfg(feature = "schema")]
pub fn schema() -> Json {
    schemars::schema_for!(Fence).to_value()
}

/// Whether a `because` names places in the source (`src/app.py:31, src/app.py:40 and 2 more`), which makes its line Ringfence's.
pub(crate) fn is_evidence(because: &str) -> bool {
    let places = because.split(" and ").next().unwrap_or(because);
    places.split(", ").all(|place| {
        place.rsplit_once(':').is_some_and(|(path, line)| {
            !line.is_empty()
                && line.bytes().all(|byte| byte.is_ascii_digit())
                && path.contains(['.', '/'])
                && !path.contains("://")
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EventFence, NetworkFence, PermissionFence};

    fn derived() -> Fence {
        let mut fence = Fence { version: 1, ..Fence::default() };
        fence.functions.insert(
            "ChargeCard".into(),
            FunctionFence {
                code: Some("src/charge/app.py#handler".into()),
                events: vec![EventFence {
                    source: "sqs".into(),
                    queue: Some("OrderPaid".into()),
                    name: Some("*OrderPaid*".into()),
                    because: Some("template.yaml:31".into()),
                    ..Default::default()
                }],
                permissions: vec![PermissionFence {
                    allow: Some("dynamodb:UpdateItem".into()),
                    on: "Orders".into(),
                    because: Some("src/charge/app.py:31".into()),
                    ..Default::default()
                }],
                ..Default::default()
            },
        );
        fence
    }

    #[test]
    fn a_new_file_reads_back_as_what_was_derived() {
        let update = update(None, &derived()).unwrap();
        assert_eq!(read(FileId(0), &update.text).fence, Some(derived()), "{}", update.text);
        assert!(
            update
                .text
                .contains(r#"- { source: sqs, queue: OrderPaid, name: "*OrderPaid*", because: "template.yaml:31" }"#),
            "{}",
            update.text
        );
    }

    #[test]
    fn comments_and_a_persons_own_lines_survive() {
        let first = update(None, &derived()).unwrap().text;
        let edited = first
            .replace("  ChargeCard:\n", "  # owned by payments\n  ChargeCard: # ask Ana first\n    mode: observe\n")
            .replace("queue: OrderPaid,", "queue: OrderPaid, body: { type: object }, allow: [sql-comment],")
            .replace(
                "    network: []\n",
                "    network:\n      # the sandbox, until March\n      - { host: sandbox.pay.example, port: 443, because: \"ticket PAY-12\" } # remove later\n",
            )
            .replace("    processes: none", "    processes: [{ run: git }]")
            + "# the end\n";
        let mut derived = derived();
        let function = derived.functions.get_mut("ChargeCard").unwrap();
        function.permissions[0].because = Some("src/charge/app.py:77".into());
        function.network.push(NetworkFence {
            host: "api.pay.example".into(),
            port: 443,
            because: Some("src/charge/app.py:12".into()),
        });
        let update = update(Some(&edited), &derived).unwrap();
        for kept in [
            "  # owned by payments\n",
            "ChargeCard: # ask Ana first",
            "mode: observe",
            "body: { type: object }",
            "allow: [sql-comment]",
            "      # the sandbox, until March\n",
            "because: \"ticket PAY-12\" } # remove later",
            "run: git",
            "# the end",
            "app.py:77",
            "api.pay.example",
        ] {
            assert!(update.text.contains(kept), "lost {kept}:\n{}", update.text);
        }
        assert_eq!(update.changes.len(), 1, "{:?}", update.changes);
        let settled = super::update(Some(&update.text), &derived).unwrap();
        assert_eq!(settled.text, update.text, "a second run changes nothing");
    }

    #[test]
    fn what_the_code_no_longer_needs_goes() {
        let first = update(None, &derived()).unwrap().text;
        let mut less = derived();
        less.functions.get_mut("ChargeCard").unwrap().permissions.clear();
        let update = update(Some(&first), &less).unwrap();
        assert!(!update.text.contains("UpdateItem"));
        assert_eq!(update.changes[0].to_string(), "ChargeCard no longer wants dynamodb:UpdateItem on Orders");
    }

    #[test]
    fn a_persons_schema_keeps_its_comments() {
        let text = "version: 1\nfunctions: {}\nschemas:\n  Order:\n    type: object\n    # amounts are in cents\n    required: [amount]\n";
        let update = update(Some(text), &Fence::default()).unwrap();
        assert!(update.text.contains("    # amounts are in cents\n    required: [amount]\n"), "{}", update.text);
    }

    #[test]
    fn an_allow_that_a_person_turned_into_a_deny_stays_one() {
        let first = update(None, &derived()).unwrap().text;
        let refused = first.replace("allow: \"dynamodb:UpdateItem\"", "deny: \"dynamodb:UpdateItem\"");
        assert_ne!(refused, first);
        let update = update(Some(&refused), &derived()).unwrap();
        assert!(update.text.contains("{ deny: \"dynamodb:UpdateItem\", on: Orders"), "{}", update.text);
        assert!(!update.text.contains("allow: \"dynamodb:UpdateItem\""), "{}", update.text);
        assert_eq!(update.changes, [], "what is refused is no drift");
    }

    #[test]
    fn line_ends_of_windows_stay() {
        let first = update(None, &derived()).unwrap().text.replace('\n', "\r\n");
        let first = first + "schemas:\r\n  Order:\r\n    type: object\r\n    # cents\r\n    required: [amount]\r\n";
        let update = update(Some(&first), &derived()).unwrap();
        assert_eq!(update.text, first);
    }

    #[test]
    fn an_empty_file_is_filled() {
        for empty in ["", "\n", "# to be written\n"] {
            let update = update(Some(empty), &derived()).unwrap();
            assert_eq!(update.fence, derived(), "{empty:?}");
            assert_eq!(update.changes.len(), 1);
        }
        assert!(read(FileId(0), "").fence.is_none(), "it still holds nothing");
    }

    #[test]
    fn on_that_became_true_is_told() {
        let text =
            "version: 1\nfunctions:\n  A:\n    permissions:\n      - { allow: \"s3:GetObject\", true: Orders }\n";
        let complaint = &read(FileId(0), text).complaints[0];
        assert!(complaint.help.as_ref().is_some_and(|help| help.contains("YAML 1.1")), "{complaint:?}");
    }

    #[test]
    fn a_mistake_is_pointed_at() {
        let text = "version: 1\nfunctions:\n  A:\n    netwrk: []\n    events:\n      - { queue: Q }\n";
        let reading = read(FileId(0), text);
        assert!(reading.fence.is_none());
        assert!(reading.complaints[0].message.contains("`netwrk` is no key"));
        let text = text.replace("    netwrk: []\n", "");
        let complaint = &read(FileId(0), &text).complaints[0];
        assert!(complaint.message.contains("`events[0]`: missing field `source`"), "{complaint:?}");
        assert_eq!(&text[complaint.span.range()], "{ queue: Q }");
    }

    #[test]
    fn evidence_is_told_from_a_reason() {
        for (because, expected) in [
            ("src/app.py:31", true),
            ("a.yaml:1, b/c.js:20 and 3 more", true),
            ("ticket PAY-12", false),
            ("see https://wiki.example:80", false),
            ("agreed at 12:30", false),
        ] {
            assert_eq!(is_evidence(because), expected, "{because}");
        }
    }
}
