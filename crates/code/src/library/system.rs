//! Programs that code starts and files that it writes.

use super::commands;
use crate::Language;
use crate::call::Arguments;
use crate::evaluate::Evaluator;
use crate::syntax::Place;
use crate::taint;
use crate::value::{External, Value};
use graph::{PracticeKind, Sink};

pub(crate) fn call(evaluator: &mut Evaluator<'_>, external: &External, arguments: &Arguments) {
    match evaluator.language {
        Language::Python => python(evaluator, &external.path, arguments),
        Language::JavaScript => javascript(evaluator, &external.path, arguments),
    }
}

fn python(evaluator: &mut Evaluator<'_>, path: &str, arguments: &Arguments) {
    let place = arguments.place;
    // What others left there is found as well.
    if matches!(path, "os.walk" | "os.listdir" | "os.scandir" | "glob.glob")
        && arguments
            .positional
            .first()
            .and_then(Value::as_text)
            .is_some_and(|text| matches!(text, "/tmp" | "/tmp/" | "/tmp/*"))
    {
        super::practices::note(evaluator, PracticeKind::LeftoverFile, place);
    }
    let first = || arguments.positional.first().cloned().unwrap_or(Value::Unknown);
    match path {
        "subprocess.run"
        | "subprocess.call"
        | "subprocess.check_call"
        | "subprocess.check_output"
        | "subprocess.Popen" => {
            let command = arguments.get(0, "args").cloned().unwrap_or(Value::Unknown);
            let shell = matches!(arguments.named("shell"), Some(Value::Boolean(true)));
            start(evaluator, &command, shell, place);
        }
        "subprocess.getoutput"
        | "subprocess.getstatusoutput"
        | "os.system"
        | "os.popen"
        | "asyncio.create_subprocess_shell"
        | "commands.getoutput" => start(evaluator, &first(), true, place),
        "asyncio.create_subprocess_exec" | "pty.spawn" => start(evaluator, &first(), false, place),
        "os.posix_spawn" | "os.posix_spawnp" => start(evaluator, &first(), false, place),
        _ if path.starts_with("os.exec") => start(evaluator, &first(), false, place),
        _ if path.starts_with("os.spawn") => {
            let program = arguments.positional.get(1).cloned().unwrap_or(Value::Unknown);
            start(evaluator, &program, false, place);
        }
        "open" | "io.open" | "codecs.open" | "gzip.open" | "bz2.open" | "lzma.open" | "tarfile.open"
        | "zipfile.ZipFile" | "aiofiles.open" | "tarfile.TarFile" => {
            let mode = arguments.get(1, "mode").cloned().unwrap_or(Value::Nothing);
            let writes = mode
                .alternatives()
                .iter()
                .any(|mode| mode.as_text().is_some_and(|mode| mode.contains(['w', 'a', 'x', '+'])));
            let target = arguments.get(0, "file").or(arguments.named("name")).cloned().unwrap_or(Value::Unknown);
            if !writes {
                taint::sink(evaluator, Sink::PathRead, &target, place);
            } else if !matches!(first(), Value::External(_)) {
                write(evaluator, &target, place);
            }
        }
        "os.mkdir" | "os.makedirs" => folder(evaluator, &first(), place),
        "os.open" | "sqlite3.connect" | "logging.FileHandler" | "os.mkfifo" | "shelve.open" => {
            write(evaluator, &first(), place)
        }
        "os.rename" | "os.replace" | "shutil.copy" | "shutil.copy2" | "shutil.copyfile" | "shutil.copytree"
        | "shutil.move" | "os.symlink" | "os.link" => {
            let target = arguments.get(1, "dst").cloned().unwrap_or(Value::Unknown);
            write(evaluator, &target, place);
        }
        "shutil.unpack_archive" => {
            let target = arguments.get(1, "extract_dir").cloned().unwrap_or(Value::Unknown);
            write(evaluator, &target, place);
        }
        "os.remove" | "os.unlink" | "os.rmdir" | "shutil.rmtree" | "os.chmod" => {
            evaluator.record.removes_files |= path != "os.chmod";
            taint::sink(evaluator, Sink::PathWrite, &first(), place);
        }
        "os.walk" => taint::sink(evaluator, Sink::PathRead, &first(), place),
        "os.listdir" | "os.scandir" | "glob.glob" | "glob.iglob" | "linecache.getline" | "flask.send_file"
        | "mmap.mmap" => taint::sink(evaluator, Sink::PathRead, &first(), place),
        "shutil.make_archive" => write(evaluator, &first(), place),
        "urllib.request.urlretrieve" => {
            let target = arguments.get(1, "filename").cloned().unwrap_or_else(|| Value::text("/tmp"));
            write(evaluator, &target, place);
        }
        "tempfile.NamedTemporaryFile"
        | "tempfile.TemporaryFile"
        | "tempfile.mkstemp"
        | "tempfile.mkdtemp"
        | "tempfile.TemporaryDirectory"
        | "tempfile.SpooledTemporaryFile" => {
            evaluator.record.removes_files |= path.contains("Temporary");
            let folder = arguments.named("dir").filter(|dir| **dir != Value::Nothing).cloned();
            write(evaluator, &folder.unwrap_or_else(|| Value::text("/tmp")), place);
        }
        _ => {
            let last = path.rsplit('.').next().unwrap_or(path);
            let is_sink = match last {
                "extractall" | "extract" => path.starts_with("zipfile.") || path.starts_with("tarfile."),
                "to_csv" | "to_parquet" | "to_excel" | "to_json" | "to_pickle" | "savefig" | "imwrite" | "output" => {
                    path.contains("()") || path.starts_with("cv2") || path.contains("pyplot")
                }
                "save" => path.starts_with("PIL.") || path.starts_with("openpyxl") || path.starts_with("docx"),
                _ => false,
            };
            let index = usize::from(last == "extract");
            let target = arguments.get(index, "path").cloned();
            if let (true, Some(target)) = (is_sink, target)
                && (matches!(target.prefix(), Some(text) if text.contains('/') || text.contains('.')))
            {
                write(evaluator, &target, place);
            }
        }
    }
}

fn javascript(evaluator: &mut Evaluator<'_>, path: &str, arguments: &Arguments) {
    let place = arguments.place;
    let argument = |index: usize| arguments.positional.get(index).cloned().unwrap_or(Value::Unknown);
    let (before, last) = path.rsplit_once('.').unwrap_or(("", path));
    match before {
        "child_process" => match last {
            "exec" | "execSync" => start(evaluator, &argument(0), true, place),
            "spawn" | "spawnSync" | "execFile" | "execFileSync" => {
                let options = arguments.positional.iter().skip(1).find_map(|one| evaluator.own_field(one, "shell"));
                let shell = matches!(options, Some(Value::Boolean(true) | Value::Text(_)));
                start(evaluator, &argument(0), shell, place);
                let name = argument(0).as_text().map(|text| text.rsplit('/').next().unwrap_or(text).to_string());
                let is_shell = matches!(name.as_deref(), Some("sh" | "bash" | "dash" | "zsh" | "cmd" | "powershell"));
                let line = is_shell
                    && evaluator.items(&argument(1)).is_some_and(|items| {
                        items.iter().any(|item| matches!(item.as_text(), Some("-c" | "-lc" | "/c")))
                    });
                let sink = if shell || line { Sink::Shell } else { Sink::Process };
                if matches!(argument(1), Value::Object(_)) && evaluator.items(&argument(1)).is_some()
                    || argument(1).is_tainted()
                {
                    taint::sink(evaluator, sink, &argument(1), place);
                }
            }
            "fork" => start(evaluator, &Value::text("node"), false, place),
            _ => {}
        },
        "shelljs" if last == "exec" => start(evaluator, &argument(0), true, place),
        "execa" if matches!(last, "execa" | "execaSync" | "command" | "execaCommand") => {
            start(evaluator, &argument(0), last.contains("ommand"), place);
        }
        "fs" | "fs.promises" | "fs/promises" => {
            let reads = match last.trim_end_matches("Sync") {
                "readFile" | "createReadStream" | "readdir" | "open" | "readJson" | "copyFile" | "cp" | "readlink" => {
                    Some(Sink::PathRead)
                }
                "unlink" | "rm" | "rmdir" | "remove" | "rename" | "chmod" => Some(Sink::PathWrite),
                _ => None,
            };
            evaluator.record.removes_files |=
                matches!(last.trim_end_matches("Sync"), "unlink" | "rm" | "rmdir" | "remove" | "emptyDir");
            if let Some(sink) = reads {
                taint::sink(evaluator, sink, &argument(0), place);
            }
            let index = match last.trim_end_matches("Sync") {
                "writeFile" | "appendFile" | "createWriteStream" | "mkdir" | "mkdtemp" | "outputFile" | "writeJson"
                | "ensureDir" | "ensureFile" | "truncate" => 0,
                "copyFile" | "rename" | "copy" | "move" | "symlink" | "link" | "cp" => 1,
                "open" => {
                    let flags = argument(1);
                    if !flags.as_text().is_some_and(|flags| flags.contains(['w', 'a', '+'])) {
                        return;
                    }
                    0
                }
                _ => return,
            };
            if last.starts_with("mkdir") || last.starts_with("ensureDir") {
                folder(evaluator, &argument(index), place);
            } else {
                write(evaluator, &argument(index), place);
            }
        }
        "" if matches!(last, "execa" | "cross-spawn") => start(evaluator, &argument(0), false, place),
        _ => {}
    }
}

/// Notes a program that is started: a command line, or a list that begins with the program.
fn start(evaluator: &mut Evaluator<'_>, command: &Value, shell: bool, place: Place) {
    command_line(evaluator, command, shell, place);
    let site = evaluator.site(place);
    for one in command.alternatives() {
        let first = match one {
            Value::Object(_) => evaluator.item(one, 0),
            other => other.clone(),
        };
        let line = match &first {
            Value::Text(text) => text.to_string(),
            Value::Pattern(parts) => {
                let hole = commands::HOLE.to_string();
                parts.iter().map(|part| part.as_text().map_or(hole.clone(), str::to_string)).collect()
            }
            _ => String::new(),
        };
        if shell && !line.is_empty() {
            // A pipe starts one program after another.
            for program in commands::programs(&line) {
                evaluator.record.processes.insert((site, program, shell));
            }
            continue;
        }
        let program = match &first {
            Value::Text(text) => Some(text.to_string()),
            // Several words without a shell are what `shlex.split` or `split` makes of a line.
            Value::External(external) if external.path == "sys.executable" => Some("python".to_string()),
            Value::External(external) if external.path == "process.execPath" => Some("node".to_string()),
            _ => None,
        };
        evaluator.record.processes.insert((site, program, shell));
    }
}

/// What a program that was started says: made of what it was told.
pub(crate) fn output(evaluator: &Evaluator<'_>, path: &str, arguments: &Arguments) -> Option<Value> {
    let says = matches!(
        path,
        "child_process.execSync"
            | "child_process.execFileSync"
            | "subprocess.check_output"
            | "subprocess.getoutput"
            | "os.popen"
    );
    if !says {
        return None;
    }
    let told: Vec<Value> = arguments.positional.iter().flat_map(|value| taint::inside(evaluator, value)).collect();
    let told: Vec<&Value> = told.iter().collect();
    (!told.is_empty()).then(|| taint::derived(&told))
}

/// What of the event a command line is made of. Without a shell an argument stays an argument, however it reads.
fn command_line(evaluator: &mut Evaluator<'_>, command: &Value, shell: bool, place: Place) {
    for one in command.alternatives() {
        let Value::Object(id) = one else {
            let fetches = one.prefix().and_then(|text| first_word(text, false));
            if matches!(fetches.as_deref(), Some("curl" | "wget")) {
                taint::sink(evaluator, Sink::Url, one, place);
            }
            taint::sink(evaluator, Sink::Shell, one, place);
            continue;
        };
        let Some(object) = evaluator.heap.objects.get(*id).cloned() else { continue };
        let items = object.items.unwrap_or_default();
        let program = items.first().cloned().unwrap_or(Value::Unknown);
        let name = program.as_text().map(|text| text.rsplit('/').next().unwrap_or(text).to_string());
        let is_shell = matches!(name.as_deref(), Some("sh" | "bash" | "dash" | "zsh" | "cmd" | "powershell"));
        taint::sink(evaluator, Sink::Shell, &program, place);
        let mut reads_next = false;
        for argument in items.iter().skip(1) {
            let sink = if shell || is_shell && reads_next { Sink::Shell } else { Sink::Process };
            taint::sink(evaluator, sink, argument, place);
            reads_next = matches!(argument.as_text(), Some("-c" | "-lc" | "/c" | "-Command"));
        }
        if let Some(others) = object.others {
            taint::sink(evaluator, Sink::Process, &others, place);
        }
    }
}

/// The program of a command line; its last word may go on where the line isn't whole.
fn first_word(line: &str, whole: bool) -> Option<String> {
    let line = line.trim_start();
    let mut words = line.split_whitespace().skip_while(|word| {
        // `NAME=value program`
        word.split_once('=').is_some_and(|(name, _)| {
            !name.is_empty() && name.chars().all(|character| character.is_ascii_alphanumeric() || character == '_')
        })
    });
    let word = words.next()?;
    let ended = whole || words.next().is_some() || line.ends_with(char::is_whitespace);
    ended.then(|| word.to_string())
}

/// Notes a file or folder that is written.
pub(crate) fn write(evaluator: &mut Evaluator<'_>, target: &Value, place: Place) {
    let paths = taint::PATHS;
    let unpacked = taint::origins(&[target])
        .iter()
        .any(|origin| origin.source.starts_with(taint::ARCHIVE) && origin.harmless & paths != paths && !origin.normal);
    if unpacked {
        super::practices::note(evaluator, PracticeKind::UnsafeExtraction, place);
    }
    let varies = match target {
        Value::Pattern(parts) => parts.first().and_then(Value::as_text).is_some_and(|text| text.starts_with("/tmp/")),
        _ => false,
    };
    if varies {
        let site = evaluator.site(place);
        evaluator.record.scratch.insert(site);
    }
    taint::sink(evaluator, Sink::PathWrite, target, place);
    folder(evaluator, target, place);
}

/// Notes a folder that is made, which does nobody harm by itself.
fn folder(evaluator: &mut Evaluator<'_>, target: &Value, place: Place) {
    let site = evaluator.site(place);
    for one in target.alternatives() {
        if *one == Value::Nothing {
            continue;
        }
        let path = one.prefix().filter(|text| !text.is_empty()).map(str::to_string);
        evaluator.record.writes.insert((site, path));
    }
}

/// `Path(...).write_text(...)` and the like: a path is its text.
pub(crate) fn path_method(evaluator: &mut Evaluator<'_>, receiver: &Value, name: &str, arguments: &Arguments) {
    if evaluator.language != Language::Python {
        return;
    }
    evaluator.record.removes_files |= matches!(name, "unlink" | "rmdir");
    if matches!(name, "read_text" | "read_bytes" | "iterdir" | "open") {
        taint::sink(evaluator, Sink::PathRead, receiver, arguments.place);
    }
    let writes = match name {
        "write_text" | "write_bytes" | "touch" | "mkdir" => true,
        "open" => {
            arguments.get(0, "mode").and_then(Value::as_text).is_some_and(|mode| mode.contains(['w', 'a', 'x', '+']))
        }
        _ => false,
    };
    if name == "mkdir" {
        folder(evaluator, receiver, arguments.place);
    } else if writes {
        write(evaluator, receiver, arguments.place);
    }
}
