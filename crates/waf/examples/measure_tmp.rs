use std::collections::HashSet;
use waf::{Context, Engine, FieldKind, Limits};
fn main() {
    let engine = Engine::new();
    let args: Vec<String> = std::env::args().collect();
    let hostile = args[1].contains("attacks");
    let show: usize = args.get(2).and_then(|s| s.parse().ok()).unwrap_or(0);
    let only = args.get(3).cloned().unwrap_or_default();
    let mut files: Vec<_> = std::fs::read_dir(&args[1]).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    let mut seen = HashSet::new();
    let (mut tn, mut tb) = (0, 0);
    for f in files {
        let name = f.file_name().unwrap().to_string_lossy().into_owned();
        if !name.contains(&only) {
            continue;
        }
        let bytes = std::fs::read(&f).unwrap();
        let texts: Vec<String> = if name.ends_with(".json") {
            serde_json::from_slice(&bytes).unwrap()
        } else {
            String::from_utf8_lossy(&bytes)
                .lines()
                .filter(|l| !l.trim().is_empty() && !l.starts_with("# ") && !l.starts_with("## "))
                .map(String::from)
                .collect()
        };
        let (mut n, mut b) = (0, 0);
        let mut miss = vec![];
        for t in texts {
            if !seen.insert(t.clone()) {
                continue;
            }
            if n > 3000 {
                break;
            }
            let mut m = Vec::new();
            let w = engine.walk_text("x", &t, &Limits::default(), &|_| Context::of(FieldKind::Unknown), &mut m);
            let refused = w.is_err() || waf::refuses(&m);
            n += 1;
            b += usize::from(refused);
            if refused != hostile {
                miss.push((
                    t,
                    m.iter()
                        .filter(|x| hostile || x.confidence >= waf::Confidence::Hint)
                        .map(|x| format!("{}:{:?}", x.rule, x.confidence))
                        .collect::<Vec<_>>(),
                ));
            }
        }
        if n > 0 {
            println!("{:5.1}% {n:5} {name}", 100.0 * b as f64 / n as f64);
        }
        let step = (miss.len() / show.max(1)).max(1);
        if show > 0 {
            for (t, r) in miss.iter().step_by(step).take(show) {
                println!("        {:?} {:?}", t.chars().take(150).collect::<String>(), r);
            }
        }
        tn += n;
        tb += b;
    }
    println!("{} of {} refused: {:.2}%", tb, tn, 100.0 * tb as f64 / tn as f64);
}
