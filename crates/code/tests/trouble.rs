//! What is said about code that isn't there, can't be read or can't be told.

#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use code::{Language, read_inline};
use source::{SourceFile, Sources, Span};
use support::Repository;
use support::{calls, messages, processes, read};

#[test]
fn a_missing_file_names_what_was_looked_for_and_the_near_miss() {
    let (reading, _) = read(&[("ordres.py", "")], "orders.handler", Language::Python);
    assert!(reading.behaviour.is_none());
    assert_eq!(
        messages(&reading),
        [
            "Error: the handler `orders.handler` isn't in the root of what is scanned: there is no `orders.py` (did you mean `ordres`?)"
        ]
    );
}

#[test]
fn a_missing_function_names_the_near_miss() {
    let (reading, _) = read(&[("app.py", "def handle(event, context): pass")], "app.handler", Language::Python);
    assert_eq!(messages(&reading), ["Error: `app.py` defines no `handler` (did you mean `handle`?)"]);
}

#[test]
fn a_handler_outside_of_the_repository_and_one_without_a_function_are_refused() {
    let (reading, _) = read(&[], "../../etc/passwd.handler", Language::JavaScript);
    assert!(messages(&reading)[0].contains("outside"), "{:?}", messages(&reading));
    let (reading, _) = read(&[], "handler", Language::JavaScript);
    assert!(messages(&reading)[0].contains("no handler"), "{:?}", messages(&reading));
}

#[test]
fn a_syntax_error_is_what_is_said_where_it_hides_the_handler() {
    let text = "import os\n\ndef handler(event, context)\n    return {\n";
    let (reading, sources) = read(&[("app.py", text)], "app.handler", Language::Python);
    assert_eq!(messages(&reading), ["Error: a syntax error here hides `handler`"]);
    let line = sources.position(reading.diagnostics[0].span.unwrap()).line;
    assert!((2..=3).contains(&line), "{line}");
}

#[test]
fn an_archive_and_a_script_that_cannot_be_followed_are_notes() {
    let reading = |code_root: &str, handler: &str, files: &[(&'static str, &str)]| {
        let files = Repository(files.iter().map(|(path, text)| (*path, (*text).to_string())).collect());
        messages(&code::read_handler(&files, &mut source::Sources::new(), code_root, handler, Language::Python))
    };
    assert_eq!(reading("build/app.zip", "app.handler", &[]), ["Note: `build/app.zip` is an archive, which isn't read"]);
    assert_eq!(
        reading("", "run.sh", &[("run.sh", "#!/bin/sh\nexec ./server --port 8080\n")]),
        ["Note: what `run.sh` starts can't be told, so the function's code isn't read"]
    );
}

#[test]
fn what_is_worked_out_at_run_time_is_pointed_at() {
    let text = r#"
import boto3
def handler(event, context):
    client = boto3.client("s3")
    getattr(client, event["operation"])(Bucket="b")
    getattr(client, "get_object")(Bucket="b", Key="k")
    boto3.client(event["service"])
"#;
    let (reading, sources) = read(&[("app.py", text)], "app.handler", Language::Python);
    assert_eq!(
        messages(&reading),
        [
            "Warning: which operation of `s3` is called is worked out at run time",
            "Warning: which service this client is for is worked out at run time"
        ]
    );
    assert_eq!(sources.place(reading.diagnostics[0].span.unwrap()), "app.py:5");
    assert_eq!(calls(&reading.behaviour.unwrap()), ["s3.GetObject on b"]);
}

#[test]
fn broken_syntax_is_pointed_at_and_the_rest_is_read() {
    let text = "import boto3\ndef handler(event, context):\n    boto3.client('s3').list_buckets()\n\ndef (:\n    x =\n";
    let (reading, _) = read(&[("app.py", text)], "app.handler", Language::Python);
    assert_eq!(messages(&reading), ["Warning: the syntax isn't understood here; what it does may be missing"]);
    assert_eq!(calls(&reading.behaviour.unwrap()), ["s3.ListBuckets on nothing"]);
}

#[test]
fn deep_nesting_recursion_cycles_and_long_chains_end() {
    let deep = format!("def handler(event, context):\n    return {}1{}\n", "(".repeat(5_000), ")".repeat(5_000));
    read(&[("app.py", &deep)], "app.handler", Language::Python);
    let chain = format!("exports.handler = () => 'a'{};", " + 'b'".repeat(20_000));
    read(&[("index.js", &chain)], "index.handler", Language::JavaScript);
    let calls = format!("exports.handler = (e) => e{};", ".then(x => x)".repeat(3_000));
    read(&[("index.js", &calls)], "index.handler", Language::JavaScript);
    let recursion =
        "def a(x):\n    return b([x])\ndef b(x):\n    return a({'k': x})\ndef handler(event, context):\n    a(event)\n";
    let (reading, _) = read(&[("app.py", recursion)], "app.handler", Language::Python);
    assert!(reading.behaviour.is_some());
    let cycle =
        [("a.py", "import b\ndef handler(event, context): b.run()"), ("b.py", "import a\ndef run(): a.handler(1, 2)")];
    let (reading, _) = read(&cycle, "a.handler", Language::Python);
    assert_eq!(reading.behaviour.unwrap().files.len(), 2);
    let wide: String =
        (0..40).map(|n| format!("def f{n}(x):\n    return f{}(x + '1') + f{}(x + '2')\n", n + 1, n + 1)).collect();
    let wide = format!("{wide}def f40(x):\n    return x\ndef handler(event, context):\n    f0('')\n");
    let (reading, _) = read(&[("app.py", &wide)], "app.handler", Language::Python);
    assert!(reading.behaviour.is_some());
}

#[test]
fn a_file_that_is_too_long_is_refused() {
    let long = format!("#{}\ndef handler(event, context): pass\n", "x".repeat(2 << 20));
    let (reading, _) = read(&[("app.py", &long)], "app.handler", Language::Python);
    assert!(messages(&reading).iter().any(|message| message.contains("isn't read")), "{:?}", messages(&reading));
}

#[test]
fn inline_code_points_into_the_template() {
    let template = "Resources:\n  F:\n    Code:\n      ZipFile: |\n        import boto3\n        def handler(event, context):\n          boto3.client('sqs').purge_queue(QueueUrl=event['url'])\n";
    let code = "import boto3\ndef handler(event, context):\n  boto3.client('sqs').purge_queue(QueueUrl=event['url'])\n";
    let mut sources = Sources::new();
    let start = template.find('|').unwrap();
    let file = sources.add(SourceFile::new("template.yaml", template));
    let block = Span::new(file, start, template.len());
    let reading = read_inline(&sources, block, code, "index.handler", Language::Python);
    let behaviour = support::clean(reading);
    assert_eq!(calls(&behaviour), ["sqs.PurgeQueue on the event"]);
    assert_eq!(sources.place(behaviour.calls[0].span), "template.yaml:7");
    assert!(sources.slice(behaviour.calls[0].span).starts_with("boto3.client('sqs').purge_queue("));
    assert_eq!(behaviour.files, [file]);
}

#[test]
fn what_doubles_itself_line_by_line_comes_to_an_end() {
    let python = |line: &str| {
        let text = format!(
            "import os\ndef handler(event, context):\n    a = event['x']\n    b = 'x'\n    c = [event]\n{}    os.system(a)\n",
            format!("    {line}\n").repeat(60)
        );
        let (reading, _) = read(&[("app.py", &text)], "app.handler", Language::Python);
        assert_eq!(processes(&reading.behaviour.unwrap()).len(), 1, "{line}");
    };
    ["a = a + a", "b = b + b", "b = f'{b}{b}'", "c = c + c", "c = [c, c]", "a = a + b"]
        .iter()
        .for_each(|line| python(line));
    let javascript = |line: &str| {
        let text = format!(
            "exports.handler = async (event) => {{\nlet a = [event], b = 'x', c = {{}};\n{}require('child_process').exec(event.x);\n}};\n",
            format!("{line}\n").repeat(60)
        );
        let (reading, _) = read(&[("app.js", &text)], "app.handler", Language::JavaScript);
        assert_eq!(processes(&reading.behaviour.unwrap()).len(), 1, "{line}");
    };
    ["a = [...a, ...a];", "b = `${b}${b}`;", "b += b;", "c = {...c, c};", "a = a.concat(a);"]
        .iter()
        .for_each(|line| javascript(line));
}

#[test]
fn a_long_list_still_tells_what_is_in_it() {
    let items = "'ls', ".repeat(9_000);
    let text = format!("import os\ndef handler(event, context):\n    a = [{items}event['x']]\n    os.system(a[0])\n");
    let (reading, _) = read(&[("app.py", &text)], "app.handler", Language::Python);
    assert_eq!(processes(&reading.behaviour.unwrap()), ["ls in a shell"]);
}

#[test]
fn thousands_of_continued_lines_are_refused() {
    let text = format!("def handler(event, context):\n    return {}1\n", "\\\n".repeat(20_000));
    let (reading, _) = read(&[("app.py", &text)], "app.handler", Language::Python);
    assert!(messages(&reading).iter().any(|message| message.contains("isn't read")), "{:?}", messages(&reading));
}

#[test]
fn objects_that_grow_line_by_line_come_to_an_end() {
    for line in
        ["a = {...a, k#: event.x};", "a = {...a, k#: 1}; b = {...b, ...a};", "a = Object.assign({}, a, {k#: 1});"]
    {
        let lines: String = (0..1_500).map(|number| line.replace('#', &number.to_string()) + "\n").collect();
        let text = format!(
            "exports.handler = async (event) => {{\nrequire('child_process').exec(event.x);\nlet a = {{}}, b = {{}};\n{lines}}};\n"
        );
        let (reading, _) = read(&[("app.js", &text)], "app.handler", Language::JavaScript);
        assert_eq!(processes(&reading.behaviour.unwrap()).len(), 1, "{line}");
    }
}
