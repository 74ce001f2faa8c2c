//! Real runtime clients on the host: AWS's for Python, our bootstrap for Node.js. Each runs when its language is there and says
//! so when it isn't. For Python, `HOST_TEST_PYTHON` names a virtual environment that has awslambdaric.
#![allow(clippy::unwrap_used)]

use graph::{Application, Code, EnvironmentVariable, Function, Part, Provider, Resource, ResourceKind, Setting, Value};
use host::{Config, FunctionState, Host, InvocationType, LocalNames, Places, Recorder, Surroundings};
use records::{Body, Outcome, Record};
use source::{FileId, Span};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

fn here<T>(value: T) -> Setting<T> {
    Setting { value, span: span() }
}

fn span() -> Span {
    Span::new(FileId(0), 0, 0)
}

fn function(name: &str, runtime: &str, handler: &str, code: Code) -> Function {
    Function {
        name: name.into(),
        resource_type: "AWS::Serverless::Function".into(),
        span: span(),
        deployed_name: None,
        runtime: Some(here(runtime.into())),
        handler: Some(here(handler.into())),
        code,
        environment: vec![EnvironmentVariable {
            name: "TABLE".into(),
            value: Value::part(Part::Ref("OrdersTable".into())),
            span: span(),
        }],
        identity: None,
        role: None,
        url: None,
        timeout: Some(here(10)),
        memory: None,
        layers: vec![],
        in_vpc: false,
        reserved_concurrency: None,
        dead_letter: None,
        architecture: None,
        tracing: None,
        log_group: None,
        behaviour: None,
    }
}

fn application(functions: Vec<Function>) -> Application {
    Application {
        name: "shop".into(),
        template: FileId(0),
        provider: Provider::Aws,
        format: graph::Format::Sam,
        functions,
        triggers: vec![],
        identities: vec![],
        resources: vec![Resource {
            name: "OrdersTable".into(),
            resource_type: "AWS::DynamoDB::Table".into(),
            kind: ResourceKind::Table,
            span: span(),
            deployed_name: None,
            properties: serde_json::json!({}),
            property_spans: vec![],
            policy: vec![],
        }],
    }
}

struct Scene {
    host: Host,
    records: Arc<Mutex<Vec<Record>>>,
}

fn scene(root: &Path, application: &Application) -> Scene {
    let state = root.join(".ringfence");
    let places = Places { root, template_folder: root, state: &state };
    let plan = host::prepare(application, places, &|line| eprintln!("{line}"));
    assert_eq!(plan.left_out, []);
    let names = LocalNames::new(application, "http://127.0.0.1:1");
    let functions = plan
        .functions
        .iter()
        .map(|function| function.configure(application, &names, &Surroundings::default()))
        .collect();
    let records = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&records);
    let recorder: Recorder = Arc::new(move |record| kept.lock().unwrap().push(record));
    Scene { host: Host::start(Config::new(functions, recorder)), records }
}

impl Scene {
    async fn invoke(&self, function: &str, event: &str) -> (String, Outcome) {
        let event = hyper::body::Bytes::copy_from_slice(event.as_bytes());
        let answer = self.host.invoke(function, event, InvocationType::RequestResponse).await.unwrap();
        (String::from_utf8_lossy(&answer.payload).into_owned(), answer.outcome)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn python_functions_run_on_the_real_runtime_client() {
    let Some(environment) = std::env::var_os("HOST_TEST_PYTHON") else {
        eprintln!("skipped: HOST_TEST_PYTHON names no virtual environment with awslambdaric");
        return;
    };
    let root = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(root.path().join(".ringfence")).unwrap();
    std::os::unix::fs::symlink(&environment, root.path().join(".ringfence/python")).unwrap();
    std::fs::write(Path::new(&environment).join(".ringfence-ready"), "").unwrap();
    let code = r#"
import os
def handler(event, context):
    if event == "raise":
        raise KeyError("id")
    print("seen", event)
    return {"table": os.environ["TABLE"], "name": context.function_name, "event": event,
            "home": os.environ["HOME"], "left": context.get_remaining_time_in_millis() > 0}
"#;
    let inline = |text: &str| Code::Inline(here(text.to_owned()));
    let application = application(vec![
        function("Read", "python3.12", "whatever.handler", inline(code)),
        function("Broken", "python3.12", "index.handler", inline("import nothing_of_this_name\n")),
        function("Lost", "python3.12", "index.no_such", inline(code)),
    ]);
    let scene = scene(root.path(), &application);
    let (answer, outcome) = scene.invoke("Read", r#"{"a": "é"}"#).await;
    assert_eq!(outcome, Outcome::Ok, "{answer}");
    let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(
        answer,
        serde_json::json!({
            "table": "shop-OrdersTable", "name": "Read", "event": {"a": "é"}, "home": "/tmp", "left": true
        })
    );
    let (raised, outcome) = scene.invoke("Read", "\"raise\"").await;
    assert!(outcome == Outcome::Error && raised.contains("KeyError"), "{raised}");
    let (undecodable, outcome) = scene.invoke("Read", "{not json").await;
    assert!(outcome == Outcome::Error && undecodable.contains("Unmarshal"), "{undecodable}");
    let (broken, _) = scene.invoke("Broken", "1").await;
    assert!(broken.contains("Runtime.ImportModuleError") && broken.contains("nothing_of_this_name"), "{broken}");
    let (lost, _) = scene.invoke("Lost", "1").await;
    assert!(lost.contains("Runtime.HandlerNotFound"), "{lost}");
    scene.host.stop().await;
}

const SCRIPT: &str = r#"
exports.promise = async (event, context) => {
  if (event === "raise") throw new TypeError("no such thing");
  if (event === "reject later") { Promise.reject(new Error("nobody waits")); await new Promise((done) => setTimeout(done, 1000)); }
  return { event, name: context.functionName, table: process.env.TABLE, left: context.getRemainingTimeInMillis() > 0 };
};
exports.callback = (event, context, callback) => setTimeout(() => callback(event === "raise" ? new Error("no") : null, { event }), 5);
exports.succeed = (event, context) => { setTimeout(() => context.succeed("done"), 5); };
exports.nothing = (event, context) => {};
exports.nested = { deep: { handler: async () => "deep" } };
exports.endless = () => { for (;;) {} };
exports.stream = awslambda.streamifyResponse(async (event, stream) => {
  stream = awslambda.HttpResponseStream.from(stream, { statusCode: 201 });
  stream.write("once, ");
  if (event === "raise") throw new Error("midway");
  stream.end("upon");
});
exports.circle = async () => { const a = {}; a.a = a; return a; };
"#;

#[tokio::test(flavor = "multi_thread")]
async fn javascript_handlers_of_every_style_are_called_as_the_platform_would() {
    if std::process::Command::new("node").arg("--version").output().is_err() {
        eprintln!("skipped: there is no node");
        return;
    }
    let root = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(root.path().join("src/lib")).unwrap();
    std::fs::write(root.path().join("src/lib/app.js"), SCRIPT).unwrap();
    std::fs::write(root.path().join("src/esm.mjs"), "export const handler = async () => import.meta.url.slice(-7);")
        .unwrap();
    std::fs::create_dir_all(root.path().join("module")).unwrap();
    std::fs::write(root.path().join("module/package.json"), r#"{"type": "module"}"#).unwrap();
    std::fs::write(root.path().join("module/index.js"), "export async function handler() { return 'module'; }")
        .unwrap();
    std::fs::write(root.path().join("src/bad.js"), "exports.handler = async () => {").unwrap();
    let code = || Code::Local(here("src".into()));
    let style = |name: &str, export: &str| function(name, "nodejs20.x", &format!("lib/app.{export}"), code());
    let mut endless = style("Endless", "endless");
    endless.timeout = Some(here(1));
    let application = application(vec![
        style("Promise", "promise"),
        style("Callback", "callback"),
        style("Succeed", "succeed"),
        style("Nothing", "nothing"),
        style("Nested", "nested.deep.handler"),
        style("Stream", "stream"),
        style("Circle", "circle"),
        endless,
        style("Missing", "no_such_export"),
        function("Esm", "nodejs20.x", "esm.handler", code()),
        function("Bad", "nodejs20.x", "bad.handler", code()),
        function("NoFile", "nodejs20.x", "nothing.handler", code()),
        function("Module", "nodejs20.x", "index.handler", Code::Local(here("module".into()))),
        function(
            "Inline",
            "nodejs20.x",
            "index.handler",
            Code::Inline(here("exports.handler = async (e) => e;".into())),
        ),
    ]);
    let scene = scene(root.path(), &application);
    for (function, event, expected, outcome) in [
        (
            "Promise",
            "{\"a\":1}",
            r#"{"event":{"a":1},"name":"Promise","table":"shop-OrdersTable","left":true}"#,
            Outcome::Ok,
        ),
        (
            "Promise",
            "\"raise\"",
            r#""errorType":"TypeError","errorMessage":"no such thing","trace":["TypeError: no such"#,
            Outcome::Error,
        ),
        ("Promise", "{not json", "Runtime.UnmarshalError", Outcome::Error),
        ("Callback", "1", r#"{"event":1}"#, Outcome::Ok),
        ("Callback", "\"raise\"", r#""errorMessage":"no""#, Outcome::Error),
        ("Succeed", "1", "\"done\"", Outcome::Ok),
        ("Nothing", "1", "null", Outcome::Ok),
        ("Nothing", "2", "null", Outcome::Ok),
        ("Nested", "1", "\"deep\"", Outcome::Ok),
        ("Stream", "1", "{\"statusCode\":201}\0\0\0\0\0\0\0\0once, upon", Outcome::Ok),
        ("Stream", "\"raise\"", "midway", Outcome::Error),
        ("Circle", "1", "Runtime.MarshalError", Outcome::Error),
        ("Endless", "1", "Task timed out after 1.00 seconds", Outcome::Timeout),
        ("Missing", "1", "lib/app.no_such_export is undefined or not exported", Outcome::Crashed),
        ("Esm", "1", "\"esm.mjs\"", Outcome::Ok),
        ("Bad", "1", "Runtime.UserCodeSyntaxError", Outcome::Crashed),
        ("NoFile", "1", "Cannot find module 'nothing'", Outcome::Crashed),
        ("Module", "1", "\"module\"", Outcome::Ok),
        ("Inline", "[1]", "[1]", Outcome::Ok),
        ("Promise", "\"reject later\"", "Runtime.UnhandledPromiseRejection", Outcome::Error),
        ("Promise", "3", "\"event\":3", Outcome::Ok),
    ] {
        let (answer, ended) = scene.invoke(function, event).await;
        assert!(answer.contains(expected) && ended == outcome, "{function} {event}: {ended:?} {answer}");
    }
    let states = scene.host.states();
    assert!(
        states.iter().any(|(name, state)| name == "Bad" && matches!(state, FunctionState::Failed(_))),
        "{states:?}"
    );
    let logged = scene
        .records
        .lock()
        .unwrap()
        .iter()
        .any(|record| matches!(&record.body, Body::Log(log) if log.line.contains("Invoke Error")));
    assert!(logged);
    tokio::time::timeout(Duration::from_secs(5), scene.host.stop()).await.unwrap();
}
