//! Programs that code starts and files that it writes.

use crate::Language;
use crate::call::Arguments;
use crate::evaluate::Evaluator;
use crate::syntax::Place;
use crate::value::{External, Value};

pub(crate) fn call(evaluator: &mut Evaluator<'_>, external: &External, arguments: &Arguments) {
    match evaluator.language {
        Language::Python => python(evaluator, &external.path, arguments),
        Language::JavaScript => javascript(evaluator, &external.path, arguments),
    }
}

fn python(evaluator: &mut Evaluator<'_>, path: &str, arguments: &Arguments) {
    let place = arguments.place;
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
            if writes && !matches!(first(), Value::External(_)) {
                let target = arguments.get(0, "file").or(arguments.named("name")).cloned().unwrap_or(Value::Unknown);
                write(evaluator, &target, place);
            }
        }
        "os.mkdir"
        | "os.makedirs"
        | "os.open"
        | "sqlite3.connect"
        | "logging.FileHandler"
        | "os.mkfifo"
        | "shelve.open" => write(evaluator, &first(), place),
        "os.rename" | "os.replace" | "shutil.copy" | "shutil.copy2" | "shutil.copyfile" | "shutil.copytree"
        | "shutil.move" | "os.symlink" | "os.link" => {
            let target = arguments.get(1, "dst").cloned().unwrap_or(Value::Unknown);
            write(evaluator, &target, place);
        }
        "shutil.unpack_archive" => {
            let target = arguments.get(1, "extract_dir").cloned().unwrap_or(Value::Unknown);
            write(evaluator, &target, place);
        }
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
            }
            "fork" => start(evaluator, &Value::text("node"), false, place),
            _ => {}
        },
        "shelljs" if last == "exec" => start(evaluator, &argument(0), true, place),
        "execa" if matches!(last, "execa" | "execaSync" | "command" | "execaCommand") => {
            start(evaluator, &argument(0), last.contains("ommand"), place);
        }
        "fs" | "fs.promises" | "fs/promises" => {
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
            write(evaluator, &argument(index), place);
        }
        "" if matches!(last, "execa" | "cross-spawn") => start(evaluator, &argument(0), false, place),
        _ => {}
    }
}

/// Notes a program that is started: a command line, or a list that begins with the program.
fn start(evaluator: &mut Evaluator<'_>, command: &Value, shell: bool, place: Place) {
    let site = evaluator.site(place);
    for one in command.alternatives() {
        let first = match one {
            Value::Object(_) => evaluator.item(one, 0),
            other => other.clone(),
        };
        let program = match &first {
            Value::Text(text) if shell => first_word(text, true),
            Value::Text(text) => Some(text.to_string()),
            Value::Pattern(_) if shell => first.prefix().and_then(|text| first_word(text, false)),
            // Several words without a shell are what `shlex.split` or `split` makes of a line.
            Value::External(external) if external.path == "sys.executable" => Some("python".to_string()),
            Value::External(external) if external.path == "process.execPath" => Some("node".to_string()),
            _ => None,
        };
        evaluator.record.processes.insert((site, program, shell));
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
    let writes = match name {
        "write_text" | "write_bytes" | "touch" | "mkdir" => true,
        "open" => {
            arguments.get(0, "mode").and_then(Value::as_text).is_some_and(|mode| mode.contains(['w', 'a', 'x', '+']))
        }
        _ => false,
    };
    if writes {
        write(evaluator, receiver, arguments.place);
    }
}
