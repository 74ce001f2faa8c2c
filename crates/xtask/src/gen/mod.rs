//! `cargo xtask gen`: draws the tables in `crates/facts/data` from published packages. Each kind of table has a module;
//! this one fetches, runs them, and writes or compares what they make. Nothing is typed in by hand but
//! `exceptions.txt`, and what that claims is checked against the packages as far as they tell.

mod actions;
mod documents;
mod exceptions;
mod javascript;
mod libinjection;
mod operations;
mod packages;
mod resources;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

/// What the command line says.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Writes nothing; ends with an error when a committed table differs from what the pinned packages give
    #[arg(long)]
    check: bool,
    /// Keeps the downloaded packages here and uses those already there
    #[arg(long, value_name = "FOLDER")]
    packages: Option<PathBuf>,
}

/// The files to write, by name.
#[derive(Default)]
pub(crate) struct Output(BTreeMap<String, Vec<u8>>);

impl Output {
    fn bytes(&mut self, name: &str, bytes: Vec<u8>) {
        self.0.insert(name.to_owned(), bytes);
    }

    /// A table: lines of columns, sorted by the lower-case first column, which has to be unique in that form because
    /// lookups don't regard letter case.
    fn table(&mut self, name: &str, rows: impl IntoIterator<Item = Vec<String>>) -> Result<()> {
        let mut lines = Vec::new();
        for mut columns in rows {
            ensure!(
                columns.iter().all(|column| !column.contains(['\t', '\n', '\r'])),
                "{name}: a value holds a tab or a line break: {columns:?}"
            );
            while columns.last().is_some_and(String::is_empty) {
                columns.pop();
            }
            let key = columns.first().with_context(|| format!("{name}: a row without a key"))?.to_ascii_lowercase();
            lines.push((key, columns.join("\t")));
        }
        lines.sort();
        for pair in lines.windows(2) {
            ensure!(pair[0].0 != pair[1].0, "{name}: {} and {} have the same key", pair[0].1, pair[1].1);
        }
        let mut text = String::new();
        for (_, line) in lines {
            text.push_str(&line);
            text.push('\n');
        }
        self.bytes(name, text.into_bytes());
        Ok(())
    }
}

/// Runs the chore.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../facts/data");
    let scratch = tempfile::tempdir()?;
    let folder = arguments.packages.clone().unwrap_or_else(|| scratch.path().join("packages"));
    let packages = packages::obtain(&folder, &scratch.path().join("unpacked"))?;

    let mut output = Output::default();
    documents::sam(&packages, &mut output)?;
    documents::managed_policies(&packages, &mut output)?;
    documents::runtimes(&packages, &mut output)?;
    let actions = actions::generate(&packages, &mut output)?;
    let exceptions = exceptions::Exceptions::parse(include_str!("exceptions.txt"), &actions)?;
    let services = operations::generate(&packages, &actions, &exceptions, &mut output)?;
    resources::generate(&packages, &services, &exceptions, &mut output)?;
    javascript::generate(&packages, &services, &exceptions, &mut output)?;
    libinjection::generate(&packages, &mut output)?;
    output.bytes("PROVENANCE.md", packages.provenance().into_bytes());

    let total: usize = output.0.values().map(Vec::len).sum();
    println!("{} files, {} KiB", output.0.len(), total / 1024);
    if arguments.check { compare(&data, &output) } else { write(&data, &output) }
}

fn write(data: &Path, output: &Output) -> Result<()> {
    fs::create_dir_all(data)?;
    for (name, bytes) in &output.0 {
        let path = data.join(name);
        if fs::read(&path).is_ok_and(|present| present == *bytes) {
            continue;
        }
        fs::write(&path, bytes).with_context(|| format!("writing {}", path.display()))?;
        println!("wrote {name} ({} KiB)", bytes.len().div_ceil(1024));
    }
    Ok(())
}

fn compare(data: &Path, output: &Output) -> Result<()> {
    let stale: Vec<&str> = output
        .0
        .iter()
        .filter(|(name, bytes)| fs::read(data.join(name)).map_or(true, |present| present != **bytes))
        .map(|(name, _)| name.as_str())
        .collect();
    if stale.is_empty() {
        println!("the committed tables are what the pinned packages give");
        return Ok(());
    }
    bail!("stale in crates/facts/data: {}; `cargo xtask gen` writes them anew", stale.join(", "))
}

/// Reads a JSON file, inflated first when its name ends in `.gz`.
pub(crate) fn read_json(path: &Path) -> Result<Value> {
    let file = fs::File::open(path).with_context(|| format!("opening {}", path.display()))?;
    let reader = std::io::BufReader::new(file);
    let parsed = if path.extension().is_some_and(|extension| extension == "gz") {
        serde_json::from_reader(flate2::bufread::GzDecoder::new(reader))
    } else {
        serde_json::from_reader(reader)
    };
    parsed.with_context(|| format!("reading {}", path.display()))
}

/// The members of a JSON object; none for anything else.
pub(crate) fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

/// The text at a JSON pointer.
pub(crate) fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer).and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(columns: &[&str]) -> Vec<String> {
        columns.iter().map(|&column| column.to_owned()).collect()
    }

    #[test]
    fn a_table_is_sorted_without_regard_to_case_and_trimmed() {
        let mut output = Output::default();
        output.table("t", [row(&["b", "1", ""]), row(&["C"]), row(&["A", "", "2"])]).unwrap();
        assert_eq!(output.0["t"], b"A\t\t2\nb\t1\nC\n");
    }

    #[test]
    fn what_a_lookup_could_not_tell_apart_is_refused() {
        let mut output = Output::default();
        assert!(output.table("t", [row(&["a"]), row(&["A"])]).is_err());
        assert!(output.table("t", [row(&["a", "x\ty"])]).is_err());
        assert!(output.table("t", [row(&["a", "x\ny"])]).is_err());
    }

    #[test]
    fn comparing_names_the_stale_tables_only() {
        let folder = tempfile::tempdir().unwrap();
        let mut output = Output::default();
        output.bytes("same.txt", b"1".to_vec());
        output.bytes("changed.txt", b"2".to_vec());
        output.bytes("missing.txt", b"3".to_vec());
        fs::write(folder.path().join("same.txt"), "1").unwrap();
        fs::write(folder.path().join("changed.txt"), "old").unwrap();
        let complaint = compare(folder.path(), &output).unwrap_err().to_string();
        assert!(complaint.contains("changed.txt, missing.txt") && !complaint.contains("same.txt"), "{complaint}");
        write(folder.path(), &output).unwrap();
        compare(folder.path(), &output).unwrap();
    }
}
