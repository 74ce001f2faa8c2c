//! From an application to functions that can be started: code staged, languages there, environment as the platform sets it.

use crate::install::{self, InstallError, Progress};
use crate::stage::{self, StageError};
use crate::{ACCOUNT, FunctionConfig, LocalNames, REGION};
use graph::{Application, Code, Function, ResourceKind};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The runtime client for JavaScript.
const BOOTSTRAP: &str = include_str!("../runtime/bootstrap.mjs");
/// The platform's default when the template sets no timeout.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(3);
/// The longest timeout the platform takes.
const MAX_TIMEOUT: Duration = Duration::from_secs(900);

/// What came of the preparation.
#[derive(Debug, Default)]
pub struct Plan {
    /// What can be run.
    pub functions: Vec<Planned>,
    /// What can't, and why.
    pub left_out: Vec<LeftOut>,
}

/// A function that can be run.
#[derive(Debug, Clone)]
pub struct Planned {
    /// Its name in the template.
    pub name: String,
    /// Its runtime, as the template has it.
    pub runtime: String,
    /// What it really runs on here: `python 3.11.7`.
    pub runs_on: String,
    /// Where its code is staged.
    pub directory: PathBuf,
    /// Its handler.
    pub handler: String,
    command: Vec<OsString>,
    layers: Vec<PathBuf>,
}

/// A function that isn't run, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Its name in the template.
    pub name: String,
    /// Why.
    pub reason: String,
}

/// Where things are.
#[derive(Debug, Clone, Copy)]
pub struct Places<'a> {
    /// The folder that paths of the graph are relative to.
    pub root: &'a Path,
    /// The template's folder.
    pub template_folder: &'a Path,
    /// The application's `.ringfence` folder.
    pub state: &'a Path,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Language {
    Python,
    JavaScript,
}

/// A language that is ready to run functions, or why it isn't.
type Tool = Result<(PathBuf, String), String>;

/// Stages the code of every function and installs what is missing. What goes wrong with one function leaves out that one.
pub fn prepare(application: &Application, places: Places<'_>, progress: Progress<'_>) -> Plan {
    let mut plan = Plan::default();
    let build = places.state.join("build");
    let mut python: Option<Tool> = None;
    let mut node: Option<Tool> = None;
    for function in &application.functions {
        let leave = |reason: String| LeftOut { name: function.name.clone(), reason };
        let (language, runtime, handler) = match language(function) {
            Ok(known) => known,
            Err(reason) => {
                plan.left_out.push(leave(reason));
                continue;
            }
        };
        let tool = match language {
            Language::Python => python.get_or_insert_with(|| python_tool(places.state, progress)),
            Language::JavaScript => node.get_or_insert_with(|| node_tool(places.state)),
        };
        let (program, version) = match tool {
            Ok(tool) => tool.clone(),
            Err(why) => {
                plan.left_out.push(leave(why.clone()));
                continue;
            }
        };
        let directory = build.join(file_name(&function.name));
        let staged = stage_code(function, &handler, language, places, &directory);
        let layers = match staged.map_err(|error| error.to_string()) {
            Ok(()) => layers(application, function, language, places, &program, progress),
            Err(error) => Err(error),
        };
        let layers = match layers {
            Ok(layers) => layers,
            Err(reason) => {
                plan.left_out.push(leave(reason));
                continue;
            }
        };
        let installed = match language {
            Language::Python => install::requirements(&function.name, &program, &directory, &directory, progress),
            Language::JavaScript => install::own_packages(&function.name, &directory, progress).and_then(|()| {
                let v2 = runtime.trim_start_matches("nodejs").split('.').next().and_then(|major| major.parse().ok());
                let wanted = install::sdk_imports(&directory, v2.is_some_and(|major: u32| major <= 16));
                let own = directory.join("node_modules");
                let missing: BTreeSet<String> =
                    wanted.into_iter().filter(|package| !own.join(package).is_dir()).collect();
                install::shared_packages(&build, &missing, progress)
            }),
        };
        if let Err(error) = installed {
            // The function may do without; if it doesn't, its own error says so better than we could.
            progress(&format!("{}: {error}", function.name));
        }
        let command: Vec<OsString> = match language {
            Language::Python => vec![program.into(), "-m".into(), "awslambdaric".into(), handler.clone().into()],
            Language::JavaScript => {
                vec![program.into(), places.state.join("runtime/bootstrap.mjs").into(), handler.clone().into()]
            }
        };
        let language_name = if language == Language::Python { "python" } else { "node" };
        plan.functions.push(Planned {
            name: function.name.clone(),
            runtime,
            runs_on: format!("{language_name} {version}"),
            directory,
            handler,
            command,
            layers,
        });
    }
    plan
}

fn python_tool(state: &Path, progress: Progress<'_>) -> Tool {
    let interpreter = install::python(state, progress).map_err(|error| error.to_string())?;
    let version = install::version_of(&interpreter).unwrap_or_default();
    Ok((interpreter, version))
}

fn node_tool(state: &Path) -> Tool {
    let node = install::node().map_err(|error| error.to_string())?;
    let version = install::version_of(&node).unwrap_or_default();
    let folder = state.join("runtime");
    let written = fs::create_dir_all(&folder).and_then(|()| fs::write(folder.join("bootstrap.mjs"), BOOTSTRAP));
    written.map_err(|error| InstallError::from(error).to_string())?;
    Ok((node, version))
}

/// The language, runtime and handler of a function, or why it isn't run here.
fn language(function: &Function) -> Result<(Language, String, String), String> {
    if let Code::Image(_) = &function.code {
        return Err("not run locally: container image".into());
    }
    let Some(runtime) = &function.runtime else { return Err("not run locally: the template names no runtime".into()) };
    let runtime = runtime.value.clone();
    let language = match runtime.trim_end_matches(|character: char| !character.is_ascii_alphabetic()) {
        _ if runtime.starts_with("python") => Language::Python,
        _ if runtime.starts_with("nodejs") => Language::JavaScript,
        _ => return Err(format!("not run locally: runtime {runtime}")),
    };
    let handler = function.handler.as_ref().map(|handler| handler.value.clone());
    let handler = match (&function.code, handler) {
        // Lambda names the file of inline code itself.
        (Code::Inline(_), handler) => {
            let export = handler.as_deref().and_then(|handler| handler.rsplit('.').next()).unwrap_or("handler");
            format!("index.{export}")
        }
        (_, Some(handler)) => handler,
        (_, None) => return Err("not run locally: the template names no handler".into()),
    };
    Ok((language, runtime, handler))
}

fn stage_code(
    function: &Function,
    handler: &str,
    language: Language,
    places: Places<'_>,
    directory: &Path,
) -> Result<(), StageError> {
    match &function.code {
        Code::Local(path) => {
            let from = places.root.join(&path.value);
            stage::folder(&repository(places.root), &from, directory)?;
            // Compiled languages on top of JavaScript need their build first.
            let _ = handler;
            Ok(())
        }
        Code::Inline(text) => {
            let file = if language == Language::Python { "index.py" } else { "index.js" };
            stage::inline(&text.value, file, directory)
        }
        Code::Image(what) | Code::Remote(what) => Err(StageError::Missing(PathBuf::from(&what.value))),
        Code::Unknown => Err(StageError::Missing(PathBuf::from("(not said)"))),
    }
}

/// What code may lie in: the repository around the application, or the application's own folder.
fn repository(root: &Path) -> PathBuf {
    let root = root.canonicalize().unwrap_or_else(|_| root.to_owned());
    root.ancestors().find(|folder| folder.join(".git").exists()).unwrap_or(&root).to_owned()
}

/// Stages the layers of a function that the template itself has.
fn layers(
    application: &Application,
    function: &Function,
    language: Language,
    places: Places<'_>,
    program: &Path,
    progress: Progress<'_>,
) -> Result<Vec<PathBuf>, String> {
    let mut staged = Vec::new();
    for layer in &function.layers {
        let Some(resource) = layer.value.resource().and_then(|name| application.resource(name)) else { continue };
        let content =
            resource.property("ContentUri").or_else(|| resource.property("Content")).and_then(|uri| uri.as_str());
        let (ResourceKind::Layer, Some(content)) = (resource.kind, content) else { continue };
        let to = places.state.join("build/layers").join(file_name(&resource.name));
        stage::folder(&repository(places.root), &places.template_folder.join(content), &to)
            .map_err(|error| format!("layer {}: {error}", resource.name))?;
        if language == Language::Python
            && let Err(error) = install::requirements(&resource.name, program, &to, &to.join("python"), progress)
        {
            progress(&format!("{}: {error}", resource.name));
        }
        staged.push(to);
    }
    Ok(staged)
}

/// A logical id is letters and digits; whatever else a broken template has must not lead out of our folder.
fn file_name(name: &str) -> String {
    let safe: String =
        name.chars().map(|character| if character.is_ascii_alphanumeric() { character } else { '_' }).collect();
    if safe.is_empty() { "_".into() } else { safe }
}

/// What stands before a function, and where its calls of the cloud go.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// The guard with its arguments, up to where the function's own command begins; empty for none.
    pub guard: Vec<OsString>,
    /// Where the function's calls of AWS go.
    pub aws_endpoint: String,
    /// Shows which invocation is under way.
    pub current: crate::CurrentRequest,
}

impl Planned {
    /// The function as the host takes it. What of its environment couldn't be told is left in `names`' warnings.
    pub fn configure(
        &self,
        application: &Application,
        names: &LocalNames<'_>,
        surroundings: &Surroundings,
    ) -> FunctionConfig {
        let function = application.function(&self.name);
        let timeout = function
            .and_then(|function| function.timeout.as_ref())
            .and_then(|timeout| u64::try_from(timeout.value).ok())
            .filter(|seconds| *seconds > 0)
            .map_or(DEFAULT_TIMEOUT, Duration::from_secs)
            .min(MAX_TIMEOUT);
        let mut command = surroundings.guard.clone();
        command.extend(self.command.iter().cloned());
        let mut triggers: Vec<String> =
            application.triggers_of(&self.name).map(|trigger| trigger.kind.name().to_owned()).collect();
        triggers.sort();
        triggers.dedup();
        FunctionConfig {
            name: self.name.clone(),
            runtime: self.runtime.clone(),
            command,
            guarded: !surroundings.guard.is_empty(),
            directory: self.directory.clone(),
            environment: self.environment(function, names, surroundings),
            timeout,
            arn: names.function_arn(&self.name),
            triggers,
            current: surroundings.current.clone(),
        }
    }

    /// The interpreter's folder and the system's; none of the folders of whoever started us.
    fn search_path(&self) -> String {
        let program = self.command.first().map(Path::new).and_then(Path::parent);
        let own = program.map(|folder| format!("{}:", folder.display())).unwrap_or_default();
        format!("{own}/usr/local/bin:/usr/bin:/bin")
    }

    fn environment(
        &self,
        function: Option<&Function>,
        names: &LocalNames<'_>,
        surroundings: &Surroundings,
    ) -> Vec<(String, String)> {
        let mut environment: Vec<(String, String)> = Vec::new();
        for variable in function.map(|function| function.environment.as_slice()).unwrap_or_default() {
            environment.push((variable.name.clone(), names.text(&variable.value)));
        }
        let deployed = names.physical_name(&self.name);
        let memory = function.and_then(|function| function.memory.as_ref()).map_or(128, |memory| memory.value);
        let task_root = self.directory.display().to_string();
        let layers = |ends: &[&str]| {
            let paths =
                self.layers.iter().flat_map(|layer| ends.iter().map(move |end| layer.join(end).display().to_string()));
            paths.collect::<Vec<_>>().join(":")
        };
        // After the template's own, so that none of these can be set otherwise: the platform reserves them, too.
        for (name, value) in [
            ("AWS_LAMBDA_FUNCTION_NAME", deployed.clone()),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".into()),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", memory.to_string()),
            ("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{deployed}")),
            ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".into()),
            ("AWS_EXECUTION_ENV", format!("AWS_Lambda_{}", self.runtime)),
            ("AWS_REGION", REGION.into()),
            ("AWS_DEFAULT_REGION", REGION.into()),
            ("AWS_ACCOUNT_ID", ACCOUNT.into()),
            ("AWS_ACCESS_KEY_ID", "AKIALOCALLOCALLOCAL0".into()),
            ("AWS_SECRET_ACCESS_KEY", "local".into()),
            ("AWS_SESSION_TOKEN", "local".into()),
            ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null".into()),
            ("AWS_CONFIG_FILE", "/dev/null".into()),
            ("AWS_EC2_METADATA_DISABLED", "true".into()),
            ("AWS_ENDPOINT_URL", surroundings.aws_endpoint.clone()),
            ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "false".into()),
            ("AWS_XRAY_CONTEXT_MISSING", "LOG_ERROR".into()),
            ("AWS_XRAY_DAEMON_ADDRESS", "127.0.0.1:9".into()),
            ("LAMBDA_TASK_ROOT", task_root.clone()),
            ("LAMBDA_RUNTIME_DIR", task_root),
            ("_HANDLER", self.handler.clone()),
            ("TZ", ":UTC".into()),
            ("LANG", "C.UTF-8".into()),
            ("HOME", "/tmp".into()),
            ("PYTHONUNBUFFERED", "1".into()),
            ("PATH", self.search_path()),
        ] {
            set(&mut environment, name, value);
        }
        // The layers' folders come first, as on the platform; a template's own setting of the same name goes on behind them.
        for (name, value) in
            [("PYTHONPATH", layers(&["python"])), ("NODE_PATH", layers(&["nodejs/node_modules", "nodejs"]))]
        {
            if !value.is_empty() {
                let own = environment.iter().find(|(key, _)| key == name).map(|(_, own)| own.clone());
                set(&mut environment, name, own.map_or(value.clone(), |own| format!("{value}:{own}")));
            }
        }
        // One service's endpoint set on its own would lead around the relay.
        environment.retain(|(name, _)| !name.starts_with("AWS_ENDPOINT_URL_"));
        environment
    }
}

fn set(environment: &mut Vec<(String, String)>, name: &str, value: String) {
    match environment.iter_mut().find(|(key, _)| key == name) {
        Some((_, own)) => *own = value,
        None => environment.push((name.to_owned(), value)),
    }
}
