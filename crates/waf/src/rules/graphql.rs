//! Documents for a GraphQL server that cost it more than they cost their sender, or ask it for its own plan.
//!
//! Counts are of braces, names and arguments as they stand; nothing is parsed beyond that, so a document that no server would take
//! may be refused as well.

use super::{Family, Hit, Pattern, Rule, RuleInfo, Scope, Severity, Subject, Test, likely};
use crate::Confidence;

/// Selections inside each other; clients generate at most some ten.
const MAX_DEPTH: usize = 16;
/// Fields under another name (`a1: user(id: 1)`) in one document.
const MAX_ALIASES: usize = 40;
/// Selections in one document.
const MAX_FIELDS: usize = 1500;
/// Directives in one document.
const MAX_DIRECTIVES: usize = 60;

pub(super) static RULES: &[Rule] = &[
    Rule {
        info: RuleInfo {
            id: "graphql-introspection",
            family: Family::GraphQl,
            severity: Severity::Low,
            cwe: 200,
            message: "a question for the schema of a GraphQL server",
            why: "Introspection tells a stranger every type, field and argument there is. Where it is meant to be open, allow this rule in the fence.",
            example: "{ __schema { types { name fields { name } } } }",
        },
        patterns: &[likely(
            &["__schema", "__type"],
            r"(?:^|[{\s,+])__schema[\s+]*(?:@\w+[^{]*)?\{|(?:^|[{\s,+])__type[\s+]*\([\s+]*name[\s+]*:|\bfragment[\s+]+\w+[\s+]+on[\s+]+__(?:Type|Schema|InputValue)\b",
        )],
    },
    Rule {
        info: RuleInfo {
            id: "graphql-abuse",
            family: Family::GraphQl,
            severity: Severity::Medium,
            cwe: 770,
            message: "a GraphQL document that is nested, renamed or repeated beyond what a client sends",
            why: "Each level of nesting multiplies what a server loads; aliases try a thousand passwords in one request; fragments that contain each other never end.",
            example: "{a{a{a{a{a{a{a{a{a{a{a{a{a{a{a{a{a{a{id}}}}}}}}}}}}}}}}}}}",
        },
        patterns: &[Pattern {
            literals: &["{"],
            test: Test::Analyser(costly),
            confidence: Confidence::Likely,
            scope: Scope::Everywhere,
            prose: false,
            plain: false,
        }],
    },
];

/// Whether the text is a GraphQL document rather than JSON, code or prose with braces.
fn is_document(text: &str) -> bool {
    let start = text.trim_start();
    let named = ["query", "mutation", "subscription", "fragment"].iter().any(|word| {
        start
            .strip_prefix(word)
            .is_some_and(|rest| rest.starts_with(|next: char| next.is_whitespace() || matches!(next, '{' | '(')))
            && start.contains('{')
    });
    // `{"` is JSON, `{{` a template, `{a b` a selection.
    let selection = start.strip_prefix('{').is_some_and(|rest| {
        let inner = rest.trim_start();
        inner.starts_with(|next: char| next.is_ascii_alphabetic() || next == '_' || next == '.')
            && !inner.contains(';')
            && start.trim_end().ends_with('}')
    });
    named || selection
}

fn costly(subject: &Subject<'_>) -> Option<Hit> {
    let text = subject.text;
    if !is_document(text) {
        return None;
    }
    let (mut depth, mut deepest, mut arguments) = (0_usize, 0_usize, 0_usize);
    let (mut aliases, mut fields, mut directives) = (0_usize, 0_usize, 0_usize);
    let mut quoted = false;
    let mut previous = b' ';
    for byte in text.bytes() {
        match byte {
            b'"' if previous != b'\\' => quoted = !quoted,
            _ if quoted => {}
            b'{' if arguments == 0 => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' if arguments == 0 => depth = depth.saturating_sub(1),
            b'(' => arguments += 1,
            b')' => arguments = arguments.saturating_sub(1),
            // Outside of arguments a colon only ever renames a field.
            b':' if arguments == 0 && depth > 0 => aliases += 1,
            b'@' => directives += 1,
            _ if arguments == 0 && depth > 0 => {
                let begins = byte.is_ascii_alphabetic() || byte == b'_';
                let inside = previous.is_ascii_alphanumeric() || matches!(previous, b'_' | b'@' | b'.' | b'$');
                fields += usize::from(begins && !inside);
            }
            _ => {}
        }
        previous = byte;
    }
    let over = deepest > MAX_DEPTH || aliases > MAX_ALIASES || fields > MAX_FIELDS || directives > MAX_DIRECTIVES;
    (over || fragments_in_a_circle(text)).then(|| Hit { range: 0..text.len().min(80), confidence: Confidence::Likely })
}

/// Whether a fragment spreads itself, alone or through one other.
fn fragments_in_a_circle(text: &str) -> bool {
    const MAX_FRAGMENTS: usize = 64;
    let mut fragments: Vec<(&str, Vec<&str>)> = Vec::new();
    for piece in text.split("fragment ").skip(1).take(MAX_FRAGMENTS) {
        let name =
            |text: &str| text.split(|next: char| !(next.is_alphanumeric() || next == '_')).next().unwrap_or("").len();
        let piece = piece.trim_start();
        let own = piece.get(..name(piece)).unwrap_or_default();
        let spreads = piece.split("...").skip(1).take(MAX_FRAGMENTS).map(|spread| {
            let spread = spread.trim_start();
            spread.get(..name(spread)).unwrap_or_default()
        });
        fragments.push((own, spreads.filter(|spread| !spread.is_empty() && *spread != "on").collect()));
    }
    fragments.iter().any(|(own, spreads)| {
        spreads.contains(own)
            || fragments.iter().any(|(other, back)| spreads.contains(other) && back.contains(own) && other != own)
    })
}

#[cfg(test)]
mod tests {
    use crate::{Context, Engine, Match};

    fn rules(text: &str) -> Vec<&'static str> {
        let mut matches: Vec<Match> = Vec::new();
        Engine::shared().inspect("body.query", text, Context::default(), &mut matches);
        matches.into_iter().filter(|found| found.rule.starts_with("graphql")).map(|found| found.rule).collect()
    }

    #[test]
    fn documents_that_cost_too_much_are_told_from_those_of_clients() {
        let aliases: String =
            (0..60).map(|number| format!("a{number}: login(pin: \"{number}\") {{ token }} ")).collect();
        assert_eq!(rules(&format!("mutation {{ {aliases} }}")), ["graphql-abuse"]);
        assert_eq!(rules(&format!("query {{ {}id{} }}", "friends { ".repeat(20), " }".repeat(20))), ["graphql-abuse"]);
        assert_eq!(rules("query { ...A } fragment A on User { ...B } fragment B on User { ...A }"), ["graphql-abuse"]);
        assert_eq!(rules(&format!("{{ user {} {{ id }} }}", "@a ".repeat(100))), ["graphql-abuse"]);
        assert_eq!(
            rules("query Order($id: ID!) { order(id: $id) { id lines { sku, amount: quantity } customer { name } } }"),
            [""; 0]
        );
        assert_eq!(rules("query Q { me { ...Card } } fragment Card on User { id name }"), [""; 0]);
    }

    #[test]
    fn json_and_prose_with_braces_are_no_documents() {
        assert_eq!(rules(&format!("{}1{}", "{\"a\":".repeat(40), "}".repeat(40))), [""; 0]);
        assert_eq!(rules("a query { and } so: on: and: on"), [""; 0]);
        assert_eq!(rules("{ __typename }"), [""; 0]);
        assert_eq!(rules("query IntrospectionQuery { __schema { queryType { name } } }"), ["graphql-introspection"]);
    }
}
