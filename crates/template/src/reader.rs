//! One template from document to application, in the order the parts need each other.

use crate::files::Files;
use crate::model::Template;
use crate::sam_api::SamApis;
use crate::{READER, check, nested};
use findings::{Diagnostic, Level};
use graph::{Application, Format, Part, Provider, Trigger, Value};
use source::{FileId, Node, Span};
use std::collections::HashMap;
use std::rc::Rc;

/// How deep stacks may nest.
pub(crate) const MAX_NESTING: usize = 8;
/// The most templates that one application reads.
const MAX_STACKS: usize = 200;

/// Where reading stands while stacks nest.
pub(crate) struct Nesting {
    /// The templates that are being read, outermost first.
    pub(crate) open: Vec<FileId>,
    /// How many were read so far.
    pub(crate) count: usize,
}

/// What a template becomes.
pub(crate) struct Outcome {
    pub(crate) application: Application,
    /// The values of its outputs.
    pub(crate) outputs: HashMap<String, Value>,
    /// The values that it exports, by the export's name.
    pub(crate) exports: HashMap<String, Value>,
}

/// A template being read into an application.
pub(crate) struct Reader<'a, 'files> {
    pub(crate) template: Rc<Template>,
    pub(crate) files: &'a mut Files<'files>,
    pub(crate) application: Application,
    pub(crate) diagnostics: &'a mut Vec<Diagnostic>,
    pub(crate) names: Names,
    pub(crate) apis: SamApis,
}

/// How functions can be named in a template besides by their logical id.
#[derive(Debug, Default)]
pub(crate) struct Names {
    /// Logical ids of functions.
    functions: HashMap<String, ()>,
    /// Logical ids of versions and aliases with their function.
    aliases: HashMap<String, String>,
    /// Names functions are deployed under: as shown, and whose.
    deployed: Vec<(String, String)>,
    /// The function that is deployed under a name.
    by_deployed: HashMap<Value, String>,
}

impl Names {
    /// The function that a value names: by reference, ARN, invocation address or deployed name.
    pub(crate) fn function_of(&self, value: &Value) -> Option<String> {
        for name in value.resources() {
            if self.functions.contains_key(name) {
                return Some(name.to_string());
            }
            if let Some(function) = self.aliases.get(name) {
                return Some(function.clone());
            }
        }
        let shown = value.to_string();
        let name = match shown.find(":function:") {
            Some(at) => &shown[at + ":function:".len()..],
            None if !shown.contains([':', '/']) => shown.as_str(),
            None => return None,
        };
        let name = name.split("/invocations").next().unwrap_or(name);
        // The longest name wins, so that `orders-api` isn't taken for `orders` with something behind it.
        self.deployed
            .iter()
            .filter(|(shown, _)| {
                name.strip_prefix(shown.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
            })
            .max_by_key(|(shown, _)| shown.len())
            .map(|(_, function)| function.clone())
    }

    /// Whether a logical id is a function's.
    pub(crate) fn is_function(&self, name: &str) -> bool {
        self.functions.contains_key(name)
    }

    /// The function that is deployed under a name.
    pub(crate) fn deployed_as(&self, name: &Value) -> Option<&str> {
        self.by_deployed.get(name).map(String::as_str)
    }
}

impl Reader<'_, '_> {
    /// Says something at a place.
    pub(crate) fn report(&mut self, level: Level, span: Span, message: impl Into<String>, help: impl Into<String>) {
        self.diagnostics.push(Diagnostic::at(level, READER, span, message).help(help));
    }

    /// Adds a trigger.
    pub(crate) fn trigger(&mut self, trigger: Trigger) {
        self.application.triggers.push(trigger);
    }
}

/// Reads the root template.
pub(crate) fn read_root(files: &mut Files<'_>, file: FileId, diagnostics: &mut Vec<Diagnostic>) -> Option<Application> {
    let mut nesting = Nesting { open: Vec::new(), count: 0 };
    let outcome = read_stack(files, file, &HashMap::new(), HashMap::new(), &mut nesting, diagnostics)?;
    Some(outcome.application)
}

/// Reads one template, with the stacks it nests.
pub(crate) fn read_stack(
    files: &mut Files<'_>,
    file: FileId,
    given: &HashMap<String, Value>,
    foreign_types: HashMap<String, String>,
    nesting: &mut Nesting,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Outcome> {
    nesting.count += 1;
    if nesting.count > MAX_STACKS {
        return None;
    }
    let document = files.document(file);
    // What was left out may be what a name leads to.
    let whole = document.complaints.iter().all(|complaint| complaint.message.starts_with("duplicate key"));
    diagnostics.extend(document.complaints.into_iter().map(crate::complaint));
    if !document.root.is_mapping() {
        if diagnostics.is_empty() {
            diagnostics.push(Diagnostic::at(Level::Error, READER, document.root.span, "the template is not an object"));
        }
        return None;
    }
    let written = Written { file, root: document.root, whole, foreign_types, format: None };
    read_written(files, written, given, nesting, diagnostics, &mut |_| {})
}

/// A template as a tree, wherever it comes from.
pub(crate) struct Written {
    /// The file it stands in, or was made from.
    pub(crate) file: FileId,
    /// The tree.
    pub(crate) root: Node,
    /// Whether every name that it may use is in it.
    pub(crate) whole: bool,
    /// Types of a parent's resources, by the name they have here.
    pub(crate) foreign_types: HashMap<String, String>,
    /// What the application is described in, where that isn't a template of this kind.
    pub(crate) format: Option<Format>,
}

/// Reads a template's tree. `extend` adds what the tree doesn't say, before permissions are looked at.
pub(crate) fn read_written(
    files: &mut Files<'_>,
    written: Written,
    given: &HashMap<String, Value>,
    nesting: &mut Nesting,
    diagnostics: &mut Vec<Diagnostic>,
    extend: &mut dyn FnMut(&mut Reader<'_, '_>),
) -> Option<Outcome> {
    let Written { file, root, whole, foreign_types, format } = written;
    let mut template = Template::read(root, file, files, given, diagnostics);
    template.foreign_types = foreign_types;
    template.depth = nesting.open.len();
    if template.blocks.is_empty() {
        return None;
    }
    nesting.open.push(file);
    let children = nested::read_children(&mut template, files, nesting, diagnostics);
    nesting.open.pop();

    // What another language calls things is that reader's to check.
    if format != Some(Format::Terraform) {
        check::check(&template, whole, diagnostics);
    }
    let template = Rc::new(template);
    let application = Application {
        name: application_name(&files.path(file)),
        template: file,
        provider: Provider::Aws,
        format: format.unwrap_or(match template.is_sam() {
            true => Format::Sam,
            false if template.is_synthesized() => Format::Cdk,
            false => Format::CloudFormation,
        }),
        functions: Vec::new(),
        triggers: Vec::new(),
        identities: Vec::new(),
        resources: Vec::new(),
    };
    let names = names(&template);
    let apis = SamApis::read(&template, &names);
    let mut reader = Reader { template: Rc::clone(&template), files, application, diagnostics, names, apis };
    reader.read_resources();
    reader.read_functions();
    reader.read_roles();
    reader.read_connectors();
    reader.read_resource_policies();
    reader.read_sam_events();
    reader.read_openapi();
    reader.read_apigateway();
    reader.read_triggers();
    extend(&mut reader);
    reader.read_permissions();
    let mut application = reader.application;

    let mut outputs: HashMap<String, Value> = template
        .outputs
        .iter()
        .filter_map(|output| Some((output.key.clone(), template.value(output.value.get("Value")?))))
        .collect();
    let exports = template
        .outputs
        .iter()
        .filter_map(|output| {
            let name = template.value(output.value.at(&["Export", "Name"])?).to_string();
            Some((name, outputs.get(&output.key)?.clone()))
        })
        .collect();
    for child in children {
        nested::adopt(&mut application, child);
    }
    outputs.retain(|_, value| !value.parts().iter().any(|part| matches!(part, Part::Parameter(_))));
    Some(Outcome { application, outputs, exports })
}

/// A name for people: the folder, or the file where the folder says nothing.
pub(crate) fn application_name(path: &str) -> String {
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let last = folder.rsplit('/').next().unwrap_or("");
    let telling =
        !matches!(stem.to_ascii_lowercase().as_str(), "template" | "sam-template" | "template.sam" | "main" | "index");
    match (last, telling) {
        ("" | ".", _) => stem.to_string(),
        ("src" | "templates" | "cloudformation" | "cfn" | "sam" | "infra" | "infrastructure", true) => stem.to_string(),
        (folder, _) => folder.to_string(),
    }
}

fn names(template: &Template) -> Names {
    let mut names = Names::default();
    for block in &template.blocks {
        if matches!(block.resource_type.as_str(), "AWS::Serverless::Function" | "AWS::Lambda::Function") {
            names.functions.insert(block.name.clone(), ());
            // The alias that SAM publishes for a function can be named as a resource of its own.
            if let Some(alias) = block.get("AutoPublishAlias").and_then(|alias| template.text(alias)) {
                names.aliases.insert(format!("{}Alias{alias}", block.name), block.name.clone());
            }
            if let Some(name) = block.get("FunctionName") {
                let value = template.value(name);
                if !value.parts().is_empty() && !value.has_unknown() {
                    let shown = value.to_string();
                    names.deployed.push((shown, block.name.clone()));
                    names.by_deployed.entry(value).or_insert_with(|| block.name.clone());
                }
            }
        }
    }
    // Functions that a value of another stack may name.
    for (name, resource_type) in &template.siblings.types {
        if resource_type == "AWS::Lambda::Function" || resource_type == "AWS::Serverless::Function" {
            names.functions.insert(format!("{}{name}", nested::OUTER.to_string().repeat(template.depth + 1)), ());
        }
    }
    // An alias names its function by reference or name; neither chains.
    for block in &template.blocks {
        if matches!(block.resource_type.as_str(), "AWS::Lambda::Version" | "AWS::Lambda::Alias")
            && let Some(named) = block.get("FunctionName")
            && let Some(function) = names.function_of(&template.value(named))
        {
            names.aliases.insert(block.name.clone(), function);
        }
    }
    names
}
