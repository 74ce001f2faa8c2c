#![no_main]
//! Handlers in Python, JavaScript and TypeScript: a repository whose first file holds the handler. Its ending tells the language;
//! the folder `layer` is deployed as a layer. The same text is read once more as code inside a template.

use code::{Handler, Language};
use fuzz::Repository;
use libfuzzer_sys::fuzz_target;
use source::{SourceFile, Sources, Span};

fuzz_target!(|input: &[u8]| {
    let Some(repository) = Repository::of(input, "app.py") else { return };
    let Some((stem, ending)) = repository.first.rsplit_once('.') else { return };
    let language = match ending {
        "py" => Language::Python,
        "js" | "mjs" | "cjs" | "ts" | "tsx" | "mts" => Language::JavaScript,
        _ => return,
    };
    let text = repository.text(&repository.first).unwrap_or_default();
    let name = if text.contains("lambda_handler") { "lambda_handler" } else { "handler" };
    let handler = format!("{stem}.{name}");
    let layers = ["layer".to_string()];
    let mut sources = Sources::new();
    let wanted = [Handler { code_root: "", handler: &handler, language, layers: &layers }];
    let readings = code::read_handlers(&repository, &mut sources, &wanted);
    assert_eq!(readings.len(), 1);

    let mut sources = Sources::new();
    let file = sources.add(SourceFile::new("template.yaml", text.as_str()));
    let _ = code::read_inline(&sources, Span::new(file, 0, text.len()), &text, &handler, language);
});
