//! `ringfence policy`: the least-privilege policy of each function, with the lines that need it.

use crate::terminal;
use anyhow::Context;
use graph::{Application, Function, Value};
use iam::{Need, Policy};
use serde_json::{Value as Json, json};
use source::{Sources, Span};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

/// Works out the least policy with which each function's code and platform work.
///
/// Exits with 0 when all is well, 1 when --diff finds permissions that nothing needs, and 2 when the work could not be done.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A folder, or one template.
    path: PathBuf,
    /// Only this function (its logical id).
    #[arg(long, value_name = "NAME")]
    function: Option<String>,
    /// What to write.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Tells only what the roles grant beyond the need, and fails where there is something.
    #[arg(long)]
    diff: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people.
    Table,
    /// Statements with the lines that need them.
    Json,
    /// IAM policy documents.
    Iam,
    /// `Policies` of a SAM template.
    Sam,
    /// `aws_iam_policy_document` data blocks.
    Terraform,
}

/// One function with everything that is said about it.
struct Entry<'a> {
    application: &'a Application,
    function: &'a Function,
    policy: Policy,
    /// What its role grants beyond the need of all functions that share it; none where that can't be told.
    excess: Option<Vec<iam::Excess>>,
    /// Why not, or what remains unknown.
    remark: Option<String>,
}

/// Runs the command.
///
/// # Errors
/// Where the path can't be read or holds no application, and where the function that is asked for isn't there.
pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let loaded = super::load(&args.path, &::scan::Options::default())?;
    super::tell_errors(&loaded);
    let sources = &loaded.sources;
    let mut entries: Vec<Entry<'_>> = loaded.estate.applications.iter().flat_map(|one| entries(one, sources)).collect();
    if let Some(name) = &args.function {
        let known: Vec<String> = entries.iter().map(|entry| entry.function.name.clone()).collect();
        entries.retain(|entry| entry.function.name == *name);
        if entries.is_empty() {
            let near = findings::near_miss(name, known.iter().map(String::as_str));
            let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            return Err(anyhow::anyhow!("no function `{name}` under `{}`{hint}", args.path.display()));
        }
    }
    let text = match (args.format, args.diff) {
        (Format::Json, _) => serde_json::to_string_pretty(&as_json(&entries, sources))? + "\n",
        (_, true) => entries.iter().map(|entry| difference(entry, sources)).collect(),
        (Format::Table, false) => entries.iter().map(|entry| table(entry, sources)).collect(),
        (Format::Iam, false) => iam_documents(&entries, sources)?,
        (Format::Sam, false) => entries.iter().map(|entry| sam(entry, sources)).collect(),
        (Format::Terraform, false) => terraform(&entries, sources),
    };
    terminal::print(&text)?;
    let wider = |entry: &Entry<'_>| entry.excess.as_ref().is_some_and(|excess| !excess.is_empty());
    Ok(match args.diff && entries.iter().any(wider) {
        true => ExitCode::from(super::exit::FOUND),
        false => ExitCode::SUCCESS,
    })
}

fn entries<'a>(application: &'a Application, sources: &Sources) -> Vec<Entry<'a>> {
    let policies: Vec<Policy> =
        application.functions.iter().map(|function| iam::least_privilege(application, function, sources)).collect();
    let mut shared: BTreeMap<&str, Vec<&Policy>> = BTreeMap::new();
    for (function, policy) in application.functions.iter().zip(&policies) {
        if let Some(identity) = &function.identity {
            shared.entry(identity).or_default().push(policy);
        }
    }
    let told: Vec<(Option<Vec<iam::Excess>>, Option<String>)> = application
        .functions
        .iter()
        .map(|function| {
            let Some(identity) = application.identity_of(function) else {
                return (None, Some("its role is not of this template".to_string()));
            };
            let needed = shared.get(identity.name.as_str()).cloned().unwrap_or_default();
            let excess = iam::excess(application, identity, &needed);
            let remark = match (&excess, identity.unresolved_policies.as_slice()) {
                (None, _) => {
                    Some("code that runs as its role wasn't read, so what is too much can't be told".to_string())
                }
                (_, []) => None,
                (_, unknown) => {
                    let names: Vec<String> = unknown.iter().map(|policy| format!("`{}`", policy.value)).collect();
                    Some(format!("what {} grants isn't known", names.join(", ")))
                }
            };
            (excess, remark)
        })
        .collect();
    application
        .functions
        .iter()
        .zip(policies)
        .zip(told)
        .map(|((function, policy), (excess, remark))| Entry { application, function, policy, excess, remark })
        .collect()
}

fn as_json(entries: &[Entry<'_>], sources: &Sources) -> Json {
    let functions: Vec<Json> = entries
        .iter()
        .map(|entry| {
            let statements: Vec<Json> =
                entry.policy.statements.iter().map(|need| statement_json(need, sources)).collect();
            let platform: Vec<Json> = entry
                .policy
                .platform
                .iter()
                .map(|platform| {
                    let mut json = statement_json(&platform.need, sources);
                    if let Some(object) = json.as_object_mut() {
                        object.insert("for".into(), platform.label.clone().into());
                    }
                    json
                })
                .collect();
            let unresolved: Vec<Json> = entry
                .policy
                .unresolved
                .iter()
                .map(|unresolved| {
                    json!({
                        "action": unresolved.actions,
                        "why": unresolved.why,
                        "because": unresolved.span.map(|span| vec![place(span, sources)]).unwrap_or_default(),
                    })
                })
                .collect();
            let excess: Option<Vec<Json>> = entry.excess.as_ref().map(|excess| {
                excess
                    .iter()
                    .map(|one| {
                        json!({
                            "words": one.words,
                            "action": one.actions,
                            "resource": shown(&one.wide),
                            "because": [place(one.span, sources)],
                        })
                    })
                    .collect()
            });
            json!({
                "name": entry.function.name,
                "template": template(entry, sources),
                "statements": statements,
                "platform": platform,
                "unresolved": unresolved,
                "excess": excess,
            })
        })
        .collect();
    json!({ "functions": functions })
}

fn statement_json(need: &Need, sources: &Sources) -> Json {
    let places: BTreeSet<(String, u32)> = need.because.iter().map(|span| at(*span, sources)).collect();
    let because: Vec<Json> = places.into_iter().map(|(file, line)| json!({ "file": file, "line": line })).collect();
    json!({ "action": need.actions, "resource": shown(&need.resources), "because": because })
}

fn shown(values: &[Value]) -> Vec<String> {
    values.iter().map(Value::to_string).collect()
}

fn at(span: Span, sources: &Sources) -> (String, u32) {
    (sources.path(span).to_string(), sources.position(span).line)
}

fn place(span: Span, sources: &Sources) -> Json {
    let (file, line) = at(span, sources);
    json!({ "file": file, "line": line })
}

fn template<'a>(entry: &Entry<'_>, sources: &'a Sources) -> &'a str {
    sources.get(entry.application.template).map_or("", source::SourceFile::path)
}

/// `src/app.py:3, src/app.py:9`: at most three places, then how many more there are.
fn because(need: &Need, sources: &Sources) -> String {
    const SHOWN: usize = 3;
    let places: BTreeSet<(String, u32)> = need.because.iter().map(|span| at(*span, sources)).collect();
    let mut text =
        places.iter().take(SHOWN).map(|(file, line)| format!("{file}:{line}")).collect::<Vec<_>>().join(", ");
    if places.len() > SHOWN {
        let _ = write!(text, " and {} more", places.len() - SHOWN);
    }
    text
}

fn heading(entry: &Entry<'_>, sources: &Sources) -> String {
    format!("{}  ({})\n", entry.function.name, template(entry, sources))
}

fn table(entry: &Entry<'_>, sources: &Sources) -> String {
    let mut text = heading(entry, sources);
    if entry.policy.statements.is_empty() && entry.policy.code_read {
        text.push_str("  its code needs no permission\n");
    }
    for need in &entry.policy.statements {
        needs(&mut text, need, &because(need, sources));
    }
    if !entry.policy.platform.is_empty() {
        text.push_str("  for the platform\n");
    }
    for platform in &entry.policy.platform {
        needs(&mut text, &platform.need, &platform.label);
    }
    for unresolved in &entry.policy.unresolved {
        let place = unresolved.span.map(|span| format!("  {}", sources.place(span))).unwrap_or_default();
        let actions = unresolved.actions.join(", ");
        let separator = if actions.is_empty() { "" } else { ": " };
        let _ = writeln!(text, "  ? {actions}{separator}{}{place}", unresolved.why);
    }
    beyond(&mut text, entry, sources);
    text.push('\n');
    text
}

fn needs(text: &mut String, need: &Need, why: &str) {
    let _ = writeln!(text, "  {}", need.actions.join(", "));
    for resource in &need.resources {
        let _ = writeln!(text, "      on {resource}");
    }
    let _ = writeln!(text, "      for {why}");
}

fn beyond(text: &mut String, entry: &Entry<'_>, sources: &Sources) {
    let role = entry.function.identity.as_deref().unwrap_or("its role");
    if let Some(excess) = &entry.excess {
        for one in excess {
            let _ = writeln!(text, "  - {role}: {}  {}", one.words, sources.place(one.span));
        }
    }
    if let Some(remark) = &entry.remark {
        let _ = writeln!(text, "  ! {remark}");
    }
}

fn difference(entry: &Entry<'_>, sources: &Sources) -> String {
    let mut lines = String::new();
    beyond(&mut lines, entry, sources);
    match lines.is_empty() {
        true => format!("{}  grants nothing beyond the need\n", heading(entry, sources)),
        false => heading(entry, sources) + &lines,
    }
}

/// One document, or an object of documents by function where there are several.
fn iam_documents(entries: &[Entry<'_>], sources: &Sources) -> anyhow::Result<String> {
    let one = |entry: &Entry<'_>| iam::render::document(&entry.policy, &|need| because(need, sources));
    let documents: serde_json::Map<String, Json> =
        entries.iter().zip(names(entries)).map(|(entry, name)| (name, one(entry))).collect();
    let whole = match entries {
        [only] => one(only),
        _ => Json::Object(documents),
    };
    Ok(serde_json::to_string_pretty(&whole).context("the policy can't be written as JSON")? + "\n")
}

/// Names that tell the functions of several applications apart.
fn names(entries: &[Entry<'_>]) -> Vec<String> {
    let mut taken: BTreeMap<&str, usize> = BTreeMap::new();
    for entry in entries {
        *taken.entry(&entry.function.name).or_default() += 1;
    }
    let mut used: BTreeMap<String, usize> = BTreeMap::new();
    entries
        .iter()
        .map(|entry| {
            let name = match taken.get(entry.function.name.as_str()) {
                Some(1) | None => entry.function.name.clone(),
                Some(_) => format!("{}/{}", entry.application.name, entry.function.name),
            };
            let count = used.entry(name.clone()).or_default();
            *count += 1;
            if *count == 1 { name } else { format!("{name}-{count}") }
        })
        .collect()
}

fn sam(entry: &Entry<'_>, sources: &Sources) -> String {
    if entry.application.format == graph::Format::Terraform {
        let heading = heading(entry, sources);
        return format!("# {}: described in Terraform; `--format terraform` writes its policy\n", heading.trim_end());
    }
    let generated = entry.application.identity_of(entry.function).is_some_and(|identity| identity.generated);
    let policies = iam::render::sam(&entry.policy, !generated, &|need| because(need, sources));
    let mut text = format!("# {}\n", heading(entry, sources).trim_end());
    for unresolved in &entry.policy.unresolved {
        let _ = writeln!(text, "# not told: {}", unresolved.why.replace(['\n', '\r'], " "));
    }
    text + &policies + "\n"
}

fn terraform(entries: &[Entry<'_>], sources: &Sources) -> String {
    let mut taken: BTreeSet<String> = BTreeSet::new();
    let blocks: Vec<String> = entries
        .iter()
        .zip(names(entries))
        .map(|(entry, name)| {
            // Names that differ only in their case or marks become one in Terraform.
            let base = iam::render::terraform_name(&name);
            let mut name = base.clone();
            let mut count = 1;
            while !taken.insert(name.clone()) {
                count += 1;
                name = format!("{base}_{count}");
            }
            iam::render::terraform(&name, &entry.policy, &|need| because(need, sources))
        })
        .collect();
    // Data sources and variables are declared once, however many policies use them.
    let mut seen = BTreeSet::new();
    let mut text = String::new();
    for chunk in blocks.iter().flat_map(|block| declarations(block)) {
        // Two applications may describe one of the same name in different words.
        let declared = chunk.lines().next().unwrap_or_default().to_string();
        if !chunk.starts_with("data \"aws_iam_policy_document\"") && !seen.insert(declared) {
            continue;
        }
        text.push_str(&chunk);
    }
    text
}

/// The top-level blocks of a rendered file.
fn declarations(block: &str) -> Vec<String> {
    let mut chunks: Vec<String> = Vec::new();
    for line in block.lines() {
        let opens = line.starts_with("data ") || line.starts_with("variable ");
        match chunks.last_mut() {
            Some(chunk) if !opens => {
                chunk.push_str(line);
                chunk.push('\n');
            }
            _ => chunks.push(format!("{line}\n")),
        }
    }
    chunks
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = "Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::DynamoDB::Table
  Show:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.12
      Handler: app.handler
      CodeUri: src
      Environment:
        Variables:
          TABLE: !Ref Orders
      Policies:
        - DynamoDBReadPolicy:
            TableName: !Ref Orders
";
    const CODE: &str = "import os, boto3
table = boto3.resource('dynamodb').Table(os.environ['TABLE'])
def handler(event, context):
    boto3.client('s3').get_object(Bucket=event['bucket'], Key='x')
    return table.get_item(Key={'id': '1'})
";

    fn with_shop(check: impl FnOnce(&[Entry<'_>], &Sources)) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("src")).unwrap();
        std::fs::write(folder.path().join("template.yaml"), TEMPLATE).unwrap();
        std::fs::write(folder.path().join("src/app.py"), CODE).unwrap();
        let loaded = ::scan::load(folder.path(), &::scan::Options::default()).unwrap();
        let found: Vec<Entry<'_>> =
            loaded.estate.applications.iter().flat_map(|one| entries(one, &loaded.sources)).collect();
        check(&found, &loaded.sources);
    }

    #[test]
    fn json_has_a_statement_per_need_with_its_lines_and_what_is_unresolved() {
        with_shop(|found, sources| {
            let json = as_json(found, sources);
            let function = &json["functions"][0];
            assert_eq!(function["name"], "Show");
            assert_eq!(
                function["statements"][0],
                json!({
                    "action": ["dynamodb:GetItem"],
                    "resource": ["${Orders.Arn}"],
                    "because": [{ "file": "src/app.py", "line": 5 }],
                })
            );
            assert_eq!(function["unresolved"][0]["action"], json!(["s3:GetObject"]));
            assert_eq!(function["unresolved"][0]["because"], json!([{ "file": "src/app.py", "line": 4 }]));
            assert_eq!(function["platform"][0]["for"], "logs");
        });
    }

    #[test]
    fn every_format_names_the_table_its_own_way() {
        with_shop(|found, sources| {
            assert!(table(&found[0], sources).contains("also allows dynamodb:"), "{}", table(&found[0], sources));
            assert!(sam(&found[0], sources).contains("- !GetAtt Orders.Arn"));
            assert!(iam_documents(found, sources).unwrap().contains("\"${Orders.Arn}\""));
            let text = terraform(&[], sources) + &terraform(found, sources);
            assert!(text.contains("${var.orders_arn}"), "{text}");
            assert_eq!(text.matches("data \"aws_partition\"").count(), 1, "{text}");
        });
    }
}
