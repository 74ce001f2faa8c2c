//! The agent's other forms: before a server, as an external extension, as the wrapper that starts a runtime.
//!
//! The form is the first argument, or the name the program was started by; what follows are the options of every form.

use crate::options::{self, Asked, Options};
use crate::report::{self, Problem};
use crate::{extension, server};
use guard::proxy::Door;
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

const HELP: &str = "\
Holds the fences of functions that are servers, and of Lambda's managed runtimes.

Usage: ringfence-agent --http [--listen ADDRESS] [--app-port PORT] [OPTIONS] -- COMMAND [ARGUMENTS...]
       ringfence-agent --azure-handler [--listen ADDRESS] [--app-port PORT] [OPTIONS] -- COMMAND [ARGUMENTS...]
       ringfence-agent --extension [OPTIONS]
       ringfence-agent --wrapper -- COMMAND [ARGUMENTS...]

  --http             Cloud Run, Google's functions, Knative, any container: takes PORT and gives COMMAND another. Plain HTTP, and
                     CloudEvents in binary and structured mode
  --azure-handler    the executable of an Azure custom handler: takes FUNCTIONS_CUSTOMHANDLER_PORT and gives COMMAND another. Without
                     --function each envelope meets the fence of the function it names
  --extension        an external extension of Lambda that holds the proxy; so is a program in /opt/extensions by itself
  --wrapper          what AWS_LAMBDA_EXEC_WRAPPER points to: has the runtime ask the extension for its events; so is a program of the
                     name `ringfence-wrapper` by itself

  --listen ADDRESS   where to listen [RINGFENCE_LISTEN; otherwise every address at PORT, or the loopback address at Azure's port]
  --app-port PORT    where COMMAND listens when it doesn't go by the variable [RINGFENCE_APP_PORT; otherwise a free one]

Extension and wrapper meet by RINGFENCE_PORT, a port of the loopback address, otherwise by the file RINGFENCE_HANDOVER, otherwise
/tmp/.ringfence-agent. The other options are those of `ringfence-agent --help`.
";

/// A server's form.
#[derive(Debug, PartialEq)]
pub(crate) struct Served {
    pub(crate) door: Door,
    pub(crate) listen: Option<String>,
    pub(crate) app_port: Option<u16>,
    pub(crate) options: Options,
    /// Whether the function was named, or each event names its own.
    pub(crate) named: bool,
}

#[derive(Debug, PartialEq)]
enum Form {
    Server(Box<Served>),
    Extension(Box<Options>, String),
    Wrapper(OsString, Vec<OsString>),
    Help,
}

/// Runs the form that is asked for; none where it is the plain one.
pub(crate) fn run(started: Instant) -> Option<ExitCode> {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let form = match asked(&arguments, &|name| std::env::var_os(name))? {
        Ok(form) => form,
        Err(message) => return Some(report::give_up(&Problem::configuration(message))),
    };
    let ended = match form {
        Form::Help => {
            print!("{HELP}");
            return Some(ExitCode::SUCCESS);
        }
        Form::Server(served) => server::run(&served, started),
        Form::Extension(options, name) => extension::run(&options, &name, started),
        Form::Wrapper(command, arguments) => Err(extension::wrap(&command, &arguments)),
    };
    Some(match ended {
        Ok(code) => ExitCode::from(code),
        Err(problem) => report::give_up(&problem),
    })
}

fn asked(arguments: &[OsString], environment: &dyn Fn(&str) -> Option<OsString>) -> Option<Result<Form, String>> {
    let program = arguments.first().map(Path::new).unwrap_or(Path::new(""));
    let name = program.file_name().and_then(OsStr::to_str).unwrap_or_default();
    let rest = arguments.get(1..).unwrap_or_default();
    let word = rest.first().and_then(|first| first.to_str()).unwrap_or_default();
    let after = rest.get(1..).unwrap_or_default();
    Some(match word {
        "--http" => served(Door::Http, after, environment),
        "--azure-handler" => served(Door::AzureHandler, after, environment),
        "--extension" => extended(name, after, environment),
        "--wrapper" => wrapped(after.strip_prefix(&["--".into()]).unwrap_or(after)),
        _ if name == "ringfence-wrapper" => wrapped(rest),
        _ if program.parent().is_some_and(|folder| folder.ends_with("extensions")) => extended(name, rest, environment),
        _ => return None,
    })
}

fn wrapped(rest: &[OsString]) -> Result<Form, String> {
    let (command, arguments) = rest.split_first().ok_or("no runtime to start")?;
    Ok(Form::Wrapper(command.clone(), arguments.to_vec()))
}

fn extended(name: &str, rest: &[OsString], environment: &dyn Fn(&str) -> Option<OsString>) -> Result<Form, String> {
    // An extension starts nothing; the options want a command.
    let arguments = rest.iter().cloned().chain(["--".into(), "none".into()]);
    match options::asked(arguments, environment)? {
        Asked::Run(options) => Ok(Form::Extension(Box::new(options), name.to_owned())),
        _ => Ok(Form::Help),
    }
}

fn served(door: Door, rest: &[OsString], environment: &dyn Fn(&str) -> Option<OsString>) -> Result<Form, String> {
    let given = |name: &str| environment(name).filter(|value| !value.is_empty());
    let (mut listen, mut app_port) = (given("RINGFENCE_LISTEN"), given("RINGFENCE_APP_PORT"));
    let mut named = given("RINGFENCE_FUNCTION").is_some();
    let mut others = Vec::new();
    let mut left = rest.iter();
    while let Some(argument) = left.next() {
        let text = argument.to_str().unwrap_or_default();
        let (name, joined) = match text.split_once('=') {
            Some((name, value)) => (name, Some(OsString::from(value))),
            None => (text, None),
        };
        let slot = match name {
            "--" => {
                others.push(argument.clone());
                others.extend(left.cloned());
                break;
            }
            "--listen" => &mut listen,
            "--app-port" => &mut app_port,
            _ => {
                named |= name == "--function";
                others.push(argument.clone());
                // A value may look like an option of these.
                if joined.is_none() && name.starts_with("--") && !matches!(name, "--help" | "--version") {
                    others.extend(left.next().cloned());
                }
                continue;
            }
        };
        *slot = Some(joined.or_else(|| left.next().cloned()).ok_or_else(|| format!("`{name}` needs a value"))?);
    }
    let of_platform = given("K_SERVICE").or_else(|| given("FUNCTION_TARGET"));
    let of_platform = of_platform.filter(|_| door == Door::Http);
    named |= of_platform.is_some();
    if !named && door == Door::Http {
        return Err("which function's fence? give --function, RINGFENCE_FUNCTION or K_SERVICE".into());
    }
    let environment = |name: &str| match name {
        "AWS_LAMBDA_RUNTIME_API" => Some("none".into()),
        "AWS_LAMBDA_FUNCTION_NAME" => of_platform.clone().or_else(|| Some("all".into())),
        name => environment(name),
    };
    let words = |value: OsString| value.into_string().map_err(|_| "an address that is not UTF-8".to_owned());
    match options::asked(others.into_iter(), &environment)? {
        Asked::Run(options) => Ok(Form::Server(Box::new(Served {
            door,
            listen: listen.map(words).transpose()?,
            app_port: match app_port.map(words).transpose()? {
                None => None,
                Some(port) => Some(port.parse().map_err(|_| format!("`{port}` is not a port"))?),
            },
            options,
            named,
        }))),
        _ => Ok(Form::Help),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(arguments: &[&str], variables: &[(&str, &str)]) -> Option<Result<Form, String>> {
        let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
        let variable =
            |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(*value));
        asked(&arguments, &variable)
    }

    #[test]
    fn the_form_is_the_first_argument_or_the_name() {
        let api = [("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9001"), ("AWS_LAMBDA_FUNCTION_NAME", "Orders")];
        assert_eq!(ask(&["ringfence-agent", "--", "python3", "--http"], &api), None);
        let Some(Ok(Form::Extension(options, name))) = ask(&["/opt/extensions/ringfence"], &api) else { panic!() };
        assert_eq!((options.function.as_str(), name.as_str()), ("Orders", "ringfence"));
        let wrapped = ask(&["/opt/ringfence-wrapper", "/var/lang/bin/python3", "-m", "x"], &api);
        assert_eq!(wrapped, Some(Ok(Form::Wrapper("/var/lang/bin/python3".into(), vec!["-m".into(), "x".into()]))));
        let asked = ask(&["a", "--http", "--listen=127.0.0.1:0", "--mode", "observe", "--", "x", "--listen"], &api);
        assert!(
            asked.unwrap().unwrap_err().contains("which function's fence"),
            "Lambda's variable is not a container's"
        );
        let asked = ask(&["a", "--http", "--listen=127.0.0.1:0", "--", "x", "--listen"], &[("K_SERVICE", "orders")]);
        let Some(Ok(Form::Server(served))) = asked else { panic!("{asked:?}") };
        assert_eq!((served.listen.as_deref(), served.options.function.as_str()), (Some("127.0.0.1:0"), "orders"));
        assert_eq!(served.options.arguments, ["--listen"]);
        let asked = ask(&["a", "--azure-handler", "--app-port", "web", "--", "x"], &[]);
        assert_eq!(asked, Some(Err("`web` is not a port".into())));
    }
}
