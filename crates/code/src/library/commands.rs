//! The programs that a command line starts, one after another and through pipes.
//!
//! Deliberately absent: what those programs start themselves (`xargs`, `find -exec`), and here-documents.

/// What stands for a part of the line that isn't known.
pub(crate) const HOLE: char = '\u{0}';

/// The programs of a line that a shell reads, in order; none for one that isn't known.
pub(crate) fn programs(line: &str) -> Vec<Option<String>> {
    let mut found = Vec::new();
    for command in commands(line) {
        let mut words = command.split_whitespace().skip_while(|word| is_before_program(word));
        let Some(word) = words.next() else { continue };
        let word = word.trim_matches(['"', '\'', '(', ')', '{', '}']);
        if word.is_empty() || word.starts_with('#') {
            continue;
        }
        let program = (!word.contains(HOLE) && !word.starts_with('$')).then(|| word.to_string());
        if !found.contains(&program) {
            found.push(program);
        }
    }
    found
}

/// `NAME=value program`, and words of the shell's own before a program.
fn is_before_program(word: &str) -> bool {
    let assigned = word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty() && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
    });
    assigned
        || matches!(
            word,
            "!" | "if" | "then" | "else" | "while" | "until" | "do" | "(" | "{" | "exec" | "command" | "time"
        )
}

/// A line taken apart where the shell starts another command, quotes respected; what `$(..)` and backticks hold among them.
fn commands(line: &str) -> Vec<String> {
    let mut commands = vec![String::new()];
    let mut quote: Option<char> = None;
    let mut letters = line.chars().peekable();
    let push = |commands: &mut Vec<String>, letter: char| {
        if let Some(last) = commands.last_mut() {
            last.push(letter);
        }
    };
    while let Some(letter) = letters.next() {
        match (letter, quote) {
            ('\\', None | Some('"')) => {
                letters.next();
                push(&mut commands, '_');
            }
            ('\'' | '"', None) => {
                quote = Some(letter);
                push(&mut commands, letter);
            }
            (end, Some(open)) if end == open => {
                quote = None;
                push(&mut commands, letter);
            }
            // A substitution works inside of double quotes, too.
            ('$', None | Some('"')) if letters.peek() == Some(&'(') => {
                letters.next();
                push(&mut commands, '_');
                commands.push(String::new());
            }
            ('`', None | Some('"')) => commands.push(String::new()),
            ('>' | '<', None) if letters.peek() == Some(&'&') => {
                letters.next();
                push(&mut commands, ' ');
            }
            ('|' | ';' | '&' | '\n', None) => commands.push(String::new()),
            (' ' | '\t', Some(_)) => push(&mut commands, '_'),
            (letter, _) => push(&mut commands, letter),
        }
    }
    commands
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(line: &str) -> Vec<String> {
        programs(line).into_iter().map(|program| program.unwrap_or_else(|| "?".into())).collect()
    }

    #[test]
    fn every_program_of_a_line_is_found() {
        assert_eq!(named("cat /tmp/x | grep 'a | b' | wc -l"), ["cat", "grep", "wc"]);
        assert_eq!(
            named("LANG=C gs -q \"in;put\" 2>&1 && curl -s https://x?a=1; rm -f /tmp/y &"),
            ["gs", "curl", "rm"]
        );
        assert_eq!(named("echo $(whoami) `id -u`\nls"), ["echo", "whoami", "id", "ls"]);
        assert_eq!(named("\u{0} --version | tee /tmp/z"), ["?", "tee"]);
        assert_eq!(named("convert \u{0} /tmp/out.png"), ["convert"]);
        assert_eq!(named(""), Vec::<String>::new());
    }
}
