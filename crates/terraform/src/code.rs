//! Where a function's code is: an archive of the repository, the folder or file that an archive is made from, a place in a
//! bucket that a folder here is uploaded to, an image.

use crate::datum::{Datum, Kind};
use crate::files::{Files, local_path, relative};
use crate::lower::{Item, Lowering};
use crate::node::{mapping, node, put, text_node};
use source::{Entry, Node, Span};

/// Where the code comes from.
enum Origin {
    /// A folder or archive, relative to what is scanned.
    Path(String),
    /// Text written into the configuration.
    Inline(Datum),
}

impl Lowering {
    /// Gives functions and layers their code. `data` are archives among the data sources.
    pub(crate) fn join_code(&mut self, data: &[Item], root: &str, files: &mut Files<'_>) {
        let archives: Vec<Item> = data
            .iter()
            .cloned()
            .chain(self.of_kind(&["archive_file"]))
            .filter(|item| item.kind == "archive_file")
            .collect();
        let objects = self.of_kind(&["aws_s3_object", "aws_s3_bucket_object"]);
        for item in self.of_kind(&["aws_lambda_function", "aws_lambda_layer_version"]) {
            let handler = item.body.get("handler").and_then(Datum::as_text);
            let layer = item.kind == "aws_lambda_layer_version";
            // A function's path is seen from the configuration's folder, a layer's from its own file's.
            let seen_from = match files.sources().get(item.head.file).filter(|_| layer) {
                Some(file) => folder_of(file.path()),
                None => root.to_string(),
            };
            let places = Places { root, seen_from: &seen_from };
            let (value, span) = code(&item, &archives, &objects, handler.as_deref(), places, files);
            let Some(value) = value else { continue };
            if let Some(made) = self.by_name(&item.name).and_then(|at| self.made.get_mut(at)) {
                put(&mut made.properties, if layer { "Content" } else { "Code" }, span, value);
            }
        }
    }
}

/// Where paths are written from and to.
#[derive(Clone, Copy)]
struct Places<'a> {
    /// Where Terraform runs.
    root: &'a str,
    /// The folder that the property's path is relative to.
    seen_from: &'a str,
}

fn code(
    item: &Item,
    archives: &[Item],
    objects: &[Item],
    handler: Option<&str>,
    places: Places<'_>,
    files: &mut Files<'_>,
) -> (Option<Node>, Span) {
    let Places { root, seen_from } = places;
    let body = &item.body;
    if let Some(image) = body.field("image_uri") {
        let entry = Entry { key: "ImageUri".into(), key_span: image.key_span, value: node(&image.value) };
        return (Some(mapping(vec![entry], image.value.span)), image.key_span);
    }
    if let Some(filename) = body.field("filename") {
        let span = filename.value.span;
        let origin = of_archive(&filename.value, item.module, archives, handler, root, files)
            .or_else(|| of_path(&filename.value, handler, root, files));
        return (Some(location(origin, &filename.value, seen_from, span)), filename.key_span);
    }
    let Some(key) = body.field("s3_key") else { return (None, item.head) };
    // An object that this configuration uploads itself.
    let shown = key.value.shown();
    let object = objects.iter().find(|object| {
        key.value.names() == Some(object.name.as_str())
            || (!shown.is_empty() && object.body.get("key").is_some_and(|key| key.shown() == shown))
    });
    if let Some(source) = object.and_then(|object| object.body.get("source")) {
        let module = object.map_or(item.module, |object| object.module);
        let origin = of_archive(source, module, archives, handler, root, files)
            .or_else(|| of_path(source, handler, root, files));
        return (Some(location(origin, source, seen_from, key.value.span)), key.key_span);
    }
    let mut entries = Vec::new();
    if let Some(bucket) = body.field("s3_bucket") {
        entries.push(Entry { key: "S3Bucket".into(), key_span: bucket.key_span, value: node(&bucket.value) });
    }
    entries.push(Entry { key: "S3Key".into(), key_span: key.key_span, value: node(&key.value) });
    (Some(mapping(entries, key.value.span)), key.key_span)
}

/// The property that says it: a path as the template would write it, or the text itself.
fn location(origin: Option<Origin>, written: &Datum, seen_from: &str, span: Span) -> Node {
    match origin {
        Some(Origin::Path(path)) => text_node(relative(seen_from, &path), span),
        Some(Origin::Inline(text)) => {
            let place = text.span;
            mapping(vec![Entry { key: "ZipFile".into(), key_span: span, value: node(&text) }], place)
        }
        None => Node { span, ..node(written) },
    }
}

/// What the archive of a path is made from.
fn of_archive(
    path: &Datum,
    module: usize,
    archives: &[Item],
    handler: Option<&str>,
    root: &str,
    files: &mut Files<'_>,
) -> Option<Origin> {
    let shown = path.shown();
    let same = |archive: &&Item| archive.body.get("output_path").is_some_and(|output| output.shown() == shown);
    let archive =
        archives.iter().filter(|archive| archive.module == module).find(same).or_else(|| archives.iter().find(same))?;
    let known = |name: &str| local_path(root, &archive.body.get(name)?.as_text()?);
    if let Some(folder) = known("source_dir") {
        // A build's output isn't here before the build: what it is made from may be beside it.
        return match handler {
            Some(handler) if !holds(&folder, handler, files) => {
                Some(Origin::Path(beside(&folder, handler, files).unwrap_or(folder)))
            }
            _ => Some(Origin::Path(folder)),
        };
    }
    if let Some(file) = known("source_file") {
        return Some(Origin::Path(folder_of(&file)));
    }
    // Files given one by one: the handler's own, where it can be told, else the first.
    let stem = handler.map(|handler| handler.rsplit_once('.').map_or(handler, |(stem, _)| stem));
    let sources = archive.body.get("source").map_or(&[][..], Datum::items);
    let named = sources.iter().find(|source| {
        let name = source.get("filename").and_then(Datum::as_text);
        name.zip(stem).is_some_and(|(name, stem)| name.rsplit_once('.').map_or(name.as_str(), |(name, _)| name) == stem)
    });
    let direct = archive.body.get("source_content");
    let content = named.or(sources.first()).and_then(|source| source.get("content")).or(direct)?;
    if let Kind::Text(chunks) = &content.kind
        && let [crate::datum::Chunk::Known(_, span), ..] = chunks.as_slice()
        && span.file != archive.span.file
    {
        let path = files.sources().get(span.file).map(|file| file.path().to_string())?;
        return Some(Origin::Path(folder_of(&path)));
    }
    Some(Origin::Inline(content.clone()))
}

/// A path as it stands; where it is an archive that isn't here, the folder that it is probably made from.
fn of_path(path: &Datum, handler: Option<&str>, root: &str, files: &mut Files<'_>) -> Option<Origin> {
    let path = local_path(root, &path.as_text()?)?;
    let folder = folder_of(&path);
    let name = path.rsplit('/').next().unwrap_or(&path);
    if is_source(name) {
        return Some(Origin::Path(folder));
    }
    let Some(handler) = handler.filter(|_| name.contains('.')) else { return Some(Origin::Path(path)) };
    let stem = name.split('.').next().unwrap_or(name);
    let inside = |name: &str| if folder.is_empty() { name.to_string() } else { format!("{folder}/{name}") };
    // What an archive is made from says more than the archive, also where that is here.
    let candidates = [inside(stem), inside("src"), folder.clone()];
    match candidates.into_iter().find(|candidate| holds(candidate, handler, files)) {
        Some(found) => Some(Origin::Path(found)),
        None => Some(Origin::Path(beside(&folder, handler, files).unwrap_or(path))),
    }
}

/// The folder near another one that holds a handler's file: its neighbours and their `src`, if just one does.
fn beside(folder: &str, handler: &str, files: &mut Files<'_>) -> Option<String> {
    /// More neighbours than this are no neighbourhood.
    const MAX_NEIGHBOURS: usize = 64;
    let above = folder_of(folder);
    let join = |name: &str| if above.is_empty() { name.to_string() } else { format!("{above}/{name}") };
    let mut found = Vec::new();
    for candidate in std::iter::once(above.clone())
        .chain(files.list(&above).iter().filter(|name| !name.contains('.')).take(MAX_NEIGHBOURS).map(|name| join(name)))
    {
        if holds(&candidate, handler, files) {
            found.push(candidate);
        }
    }
    match found.as_slice() {
        [one] => Some(one.clone()),
        _ => None,
    }
}

/// Whether a name is that of a file of source code.
fn is_source(name: &str) -> bool {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    matches!(extension, "py" | "js" | "mjs" | "cjs" | "ts" | "mts" | "cts" | "tsx" | "rb" | "go" | "rs")
}

/// Whether a folder has the file that a handler names.
fn holds(folder: &str, handler: &str, files: &mut Files<'_>) -> bool {
    let path = handler.rsplit_once('.').map_or(handler, |(path, _)| path);
    let full = local_path(folder, path).unwrap_or_default();
    let (within, stem) = full.rsplit_once('/').unwrap_or(("", &full));
    files.list(within).iter().any(|name| {
        name.rsplit_once('.').is_some_and(|(known, extension)| known == stem && is_source(&format!("x.{extension}")))
    })
}

fn folder_of(path: &str) -> String {
    path.rsplit_once('/').map_or_else(String::new, |(folder, _)| folder.to_string())
}
