//! What the agent is asked to do: arguments, and environment variables of the same names.

use guard::journal::Target;
use perimeter::Demand;
use records::Mode;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

pub(crate) const HELP: &str = "\
Holds a function's fence: every event is checked before the function sees it.

Usage: ringfence-agent [OPTIONS] -- COMMAND [ARGUMENTS...]
       ringfence-agent doctor [--json] [-- COMMAND]

Options:
  --fence FILE       the fence, YAML or JSON [RINGFENCE_FENCE; otherwise fence.yaml beside the function's code, then here]
  --function NAME    whose fence it is [RINGFENCE_FUNCTION; otherwise AWS_LAMBDA_FUNCTION_NAME]
  --mode MODE        `block` refuses what the fence doesn't allow, `observe` only records it [RINGFENCE_MODE; otherwise what
                     the fence says, otherwise block]
  --rules FILE       rules in SecLang that look at every text as well, compiled by `ringfence waf compile`
                     [RINGFENCE_RULES; otherwise none]
  --perimeter WHAT   what the kernel holds of the fence's files, programs and ports: `auto` as much as it can here, `require` all of
                     that or the function doesn't start, `off` nothing [RINGFENCE_PERIMETER; otherwise what the fence's
                     `perimeter` demands, otherwise off]
  --records TARGET   where records go, one JSON line each: `stdout`, `stderr`, `unix:PATH` or a file [RINGFENCE_RECORDS;
                     otherwise stdout]
  --help             prints this
  --version          prints the version

The platform's Runtime API is taken from AWS_LAMBDA_RUNTIME_API; COMMAND gets one of the agent's own in its place.
Other forms, each with its own --help: --http and --azure-handler before a server, --extension and --wrapper for Lambda's managed
runtimes.
`doctor` prints what this place offers a perimeter, and what that means for the fence.
The agent ends with COMMAND's exit code. When the fence can't be held it ends with 78 and never starts COMMAND.
";

/// The variables that are the agent's own; the function doesn't get to see them.
pub(crate) const VARIABLES: [&str; 6] = [
    "RINGFENCE_FENCE",
    "RINGFENCE_FUNCTION",
    "RINGFENCE_MODE",
    "RINGFENCE_RULES",
    "RINGFENCE_PERIMETER",
    "RINGFENCE_RECORDS",
];

#[derive(Debug, PartialEq)]
pub(crate) enum Asked {
    Help,
    Version,
    Doctor { json: bool, command: Option<OsString> },
    Run(Options),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Options {
    pub(crate) fence: PathBuf,
    pub(crate) function: String,
    pub(crate) mode: Option<Mode>,
    pub(crate) rules: Option<PathBuf>,
    pub(crate) perimeter: Option<Demand>,
    pub(crate) records: Target,
    pub(crate) runtime_api: String,
    pub(crate) command: OsString,
    pub(crate) arguments: Vec<OsString>,
}

/// Reads arguments; what they leave out is taken from the environment.
pub(crate) fn asked(
    mut arguments: impl Iterator<Item = OsString>,
    environment: &dyn Fn(&str) -> Option<OsString>,
) -> Result<Asked, String> {
    let environment = |name: &str| environment(name).filter(|value| !value.is_empty());
    let (mut fence, mut function, mut mode, mut rules, mut records) = (None, None, None, None, None);
    let mut perimeter = None;
    let mut command = None;
    while let Some(argument) = arguments.next() {
        let text = argument.to_str().unwrap_or_default();
        let (name, joined) = match text.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name, Some(OsString::from(value))),
            _ => (text, None),
        };
        let slot = match name {
            "--" => {
                command = arguments.next();
                break;
            }
            "doctor" => return doctor(arguments),
            "--help" | "-h" => return Ok(Asked::Help),
            "--version" | "-V" => return Ok(Asked::Version),
            "--fence" => &mut fence,
            "--function" => &mut function,
            "--mode" => &mut mode,
            "--rules" => &mut rules,
            "--perimeter" => &mut perimeter,
            "--records" => &mut records,
            _ => {
                return Err(format!(
                    "unexpected argument `{}`; the function's command follows `--`",
                    argument.to_string_lossy()
                ));
            }
        };
        let value = joined.or_else(|| arguments.next()).ok_or_else(|| format!("`{name}` needs a value"))?;
        *slot = Some(value);
    }
    let command = command.ok_or("no command to run; it follows `--` (see --help)")?;
    let given = |argument: Option<OsString>, variable: &str| argument.or_else(|| environment(variable));
    let words = |value: OsString, what: &str| value.into_string().map_err(|_| format!("the {what} is not UTF-8"));
    let function = given(function, "RINGFENCE_FUNCTION").or_else(|| environment("AWS_LAMBDA_FUNCTION_NAME"));
    let function =
        function.ok_or("which function's fence? give --function, RINGFENCE_FUNCTION or AWS_LAMBDA_FUNCTION_NAME")?;
    let mode = match given(mode, "RINGFENCE_MODE") {
        None => None,
        Some(mode) if mode == "block" => Some(Mode::Block),
        Some(mode) if mode == "observe" => Some(Mode::Observe),
        Some(other) => return Err(format!("`{}` is not a mode; it is `block` or `observe`", other.to_string_lossy())),
    };
    let perimeter = match given(perimeter, "RINGFENCE_PERIMETER") {
        None => None,
        Some(word) if word == "off" => Some(Demand::Off),
        Some(word) if word == "auto" => Some(Demand::Auto),
        Some(word) if word == "require" => Some(Demand::Require),
        Some(other) => {
            let other = other.to_string_lossy();
            return Err(format!("`{other}` is no perimeter; it is `auto`, `require` or `off`"));
        }
    };
    let records = match given(records, "RINGFENCE_RECORDS") {
        None => Target::Stdout,
        Some(target) => Target::parse(&words(target, "target of the records")?),
    };
    let runtime_api = environment("AWS_LAMBDA_RUNTIME_API")
        .ok_or("AWS_LAMBDA_RUNTIME_API is not set: there is no Runtime API here to stand before")?;
    Ok(Asked::Run(Options {
        fence: given(fence, "RINGFENCE_FENCE")
            .map_or_else(|| default_fence(environment("LAMBDA_TASK_ROOT").as_deref()), PathBuf::from),
        function: words(function, "function's name")?,
        mode,
        rules: given(rules, "RINGFENCE_RULES").map(PathBuf::from),
        perimeter,
        records,
        runtime_api: words(runtime_api, "address of the Runtime API")?,
        command,
        arguments: arguments.collect(),
    }))
}

fn doctor(mut arguments: impl Iterator<Item = OsString>) -> Result<Asked, String> {
    let mut json = false;
    while let Some(argument) = arguments.next() {
        match argument.to_str() {
            Some("--json") => json = true,
            Some("--") => return Ok(Asked::Doctor { json, command: arguments.next() }),
            _ => return Err(format!("`doctor` knows no `{}`; it takes `--json`", argument.to_string_lossy())),
        }
    }
    Ok(Asked::Doctor { json, command: None })
}

fn default_fence(task_root: Option<&OsStr>) -> PathBuf {
    let beside = task_root.map(|root| PathBuf::from(root).join("fence.yaml"));
    beside.filter(|path| path.exists()).unwrap_or_else(|| PathBuf::from("fence.yaml"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(arguments: &[&str], variables: &[(&str, &str)]) -> Result<Asked, String> {
        let variable =
            |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(*value));
        asked(arguments.iter().map(OsString::from), &variable)
    }

    #[test]
    fn arguments_come_before_variables_and_the_command_is_left_alone() {
        let variables = [
            ("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9001"),
            ("AWS_LAMBDA_FUNCTION_NAME", "Deployed"),
            ("RINGFENCE_MODE", "observe"),
            ("RINGFENCE_RULES", "crs.bin"),
            ("RINGFENCE_RECORDS", "unix:/tmp/s"),
        ];
        let asked =
            ask(&["--fence", "f.json", "--mode=block", "--", "python3", "--help", "--", "x"], &variables).unwrap();
        let Asked::Run(options) = asked else { panic!("{asked:?}") };
        assert_eq!((options.fence.to_str().unwrap(), options.function.as_str()), ("f.json", "Deployed"));
        assert_eq!((options.mode, &options.records), (Some(Mode::Block), &Target::Unix("/tmp/s".into())));
        assert_eq!(options.rules.as_deref(), Some(std::path::Path::new("crs.bin")));
        assert_eq!((options.command.to_str().unwrap(), options.arguments.len()), ("python3", 3));
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        let api = [("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:1"), ("RINGFENCE_FUNCTION", "F")];
        for (arguments, variables, message) in [
            (&["--"][..], &api[..], "no command"),
            (&["python3"], &api, "unexpected argument `python3`"),
            (&["--mode", "blok", "--", "x"], &api, "`blok` is not a mode"),
            (&["--perimeter=requier", "--", "x"], &api, "`requier` is no perimeter"),
            (&["--fence"], &api, "`--fence` needs a value"),
            (&["--", "x"], &api[..1], "which function's fence"),
            (&["--", "x"], &api[1..], "AWS_LAMBDA_RUNTIME_API is not set"),
        ] {
            let error = ask(arguments, variables).unwrap_err();
            assert!(error.contains(message), "{arguments:?}: {error}");
        }
    }
}
