//! `ringfence update`, `ringfence deps`, and what `ringfence scan` says of packages, images and pages.

use crate::project;
use crate::project::{HANDLER, Project, SHOP, Said};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::Command;

pub(crate) const ADVISORY: &str = r#"{
  "id": "EX-2026-1", "aliases": ["CVE-2026-1"], "modified": "2026-01-01T00:00:00Z", "summary": "pens leak ink",
  "severity": [{ "type": "CVSS_V4", "score": "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N" }],
  "affected": [{ "package": { "ecosystem": "PyPI", "name": "leakypen" },
    "ranges": [{ "type": "ECOSYSTEM", "events": [{ "introduced": "0" }, { "fixed": "2.0.1" }] }] }]
}"#;

/// Runs the program with its data in the project's folder `data`.
pub(crate) fn run(project: &Project, arguments: &[&str]) -> Said {
    let path = std::env::var("PATH").unwrap_or_default();
    let tools = project.path("tools");
    let output = Command::new(env!("CARGO_BIN_EXE_ringfence"))
        .args(arguments)
        .current_dir(project.root())
        .env_clear()
        .env("PATH", format!("{}:{path}", tools.display()))
        .env("RINGFENCE_DATA", project.path("data"))
        .output()
        .unwrap();
    Said {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn finding<'a>(json: &'a serde_json::Value, id: &str) -> Vec<&'a serde_json::Value> {
    json["findings"].as_array().unwrap().iter().filter(|one| one["id"] == id).collect()
}

#[test]
fn a_pinned_package_with_a_known_weakness_is_named_with_what_mends_it() {
    let shop = project()
        .with("template.yaml", SHOP)
        .with("src/app.py", &format!("import leakypen\n{HANDLER}"))
        .with("src/requirements.txt", "leakypen==1.9\n")
        .with("osv/EX-2026-1.json", ADVISORY);
    shop.run(&["update", "--from", "osv", "--data", "data"]).code(0).says("1 advisor");
    shop.run(&["deps", ".", "--data", "data"]).code(1).says("leakypen").says("EX-2026-1").says("2.0.1");
    let shop = shop.with("src/requirements.txt", "leakypen==2.0.1\n");
    shop.run(&["deps", ".", "--data", "data"]).code(0).never_says("EX-2026-1");
}

#[test]
fn without_advisories_nothing_was_checked_and_it_says_so() {
    let shop = project()
        .with("template.yaml", SHOP)
        .with("src/app.py", HANDLER)
        .with("src/requirements.txt", "leakypen==1.9\n");
    shop.run(&["deps", ".", "--data", "nothing"]).code(2);
    let json = run(&shop, &["scan", ".", "--format", "json", "--fail-on", "never"]).json();
    assert!(finding(&json, "vulnerable-dependency").is_empty());
    let said = json["diagnostics"].to_string();
    assert!(said.contains("weren't checked") && said.contains("ringfence update"), "{said}");
}

#[test]
fn a_weakness_in_what_a_handler_imports_weighs_more_than_in_what_it_only_ships() {
    let shop = project()
        .with("template.yaml", SHOP)
        .with("src/app.py", &format!("import leakypen\n{HANDLER}"))
        .with(
            "src/poetry.lock",
            "[[package]]\nname = \"idlepen\"\nversion = \"0.1\"\n\n[[package]]\nname = \"leakypen\"\nversion = \"1.9\"\n\
             [package.dependencies]\nboto3 = \"*\"\n",
        )
        .with("osv/1.json", ADVISORY)
        .with("osv/2.json", &ADVISORY.replace("leakypen", "idlepen").replace("-1\"", "-2\""));
    run(&shop, &["update", "--from", "osv"]).code(0);
    let json = run(&shop, &["scan", ".", "--format", "json"]).code(1).json();
    let found = finding(&json, "vulnerable-dependency");
    let told: Vec<(&str, &str, u64)> = found
        .iter()
        .map(|one| {
            let place = &one["locations"][0];
            assert_eq!((&one["function"], &place["file"]), (&"Buy".into(), &"src/poetry.lock".into()), "{one}");
            let title = one["title"].as_str().unwrap();
            let name = ["leakypen", "idlepen"].into_iter().find(|name| title.contains(name)).unwrap();
            (one["severity"].as_str().unwrap(), name, place["line"].as_u64().unwrap())
        })
        .collect();
    assert_eq!(told, [("critical", "leakypen", 6), ("low", "idlepen", 2)]);
    assert!(found[0]["title"].as_str().unwrap().contains("CVE-2026-1"), "{}", found[0]);
    assert!(found[0]["remediation"].as_str().unwrap().contains("2.0.1"), "{}", found[0]);
}

#[test]
fn an_unpinned_list_a_base_image_without_updates_and_a_page_with_a_hijacked_script() {
    let image = "
  Draw:
    Type: AWS::Serverless::Function
    Properties: { PackageType: Image }
    Metadata:
      Dockerfile: Dockerfile
      DockerContext: ./draw
";
    let shop = project()
        .with("template.yaml", &format!("{SHOP}{image}"))
        .with("src/app.py", HANDLER)
        .with("src/requirements.txt", "boto3\npens>=1\n")
        .with("draw/Dockerfile", "FROM public.ecr.aws/lambda/python:3.7\nCOPY . .\n")
        .with(
            "site/index.html",
            "<html>\n<script src=\"https://cdn.polyfill.io/v3/polyfill.min.js\"></script>\n</html>\n",
        );
    let json = run(&shop, &["scan", ".", "--format", "json", "--fail-on", "never"]).json();
    for (id, severity, file, line) in [
        ("unpinned-dependency", "low", "src/requirements.txt", 2),
        ("outdated-base-image", "medium", "draw/Dockerfile", 1),
        ("compromised-host", "high", "site/index.html", 2),
    ] {
        let found = finding(&json, id);
        assert_eq!(found.len(), 1, "{id} {json}");
        let place = &found[0]["locations"][0];
        assert_eq!(
            (&found[0]["severity"], &place["file"], &place["line"]),
            (&severity.into(), &file.into(), &line.into()),
            "{id}"
        );
    }
    run(&shop, &["explain", "compromised-host"]).code(0).says("polyfill.io");
}

/// A ZIP archive of one stored entry.
fn archive(name: &str, content: &[u8]) -> Vec<u8> {
    let mut table = [0_u32; 256];
    for (slot, byte) in table.iter_mut().zip(0_u32..) {
        *slot = (0..8).fold(byte, |sum, _| if sum & 1 == 1 { (sum >> 1) ^ 0xedb8_8320 } else { sum >> 1 });
    }
    let sum = !content.iter().fold(!0_u32, |sum, byte| (sum >> 8) ^ table[((sum ^ u32::from(*byte)) & 0xff) as usize]);
    let size = u32::try_from(content.len()).unwrap().to_le_bytes();
    let length = u16::try_from(name.len()).unwrap().to_le_bytes();
    let common: Vec<u8> =
        [&[20, 0, 0, 0, 0, 0, 0, 0, 0, 0][..], &sum.to_le_bytes(), &size, &size, &length, &[0, 0]].concat();
    let local = [&[0x50, 0x4b, 3, 4][..], &common, name.as_bytes(), content].concat();
    let directory = [&[0x50, 0x4b, 1, 2, 20, 0][..], &common, &[0; 14], name.as_bytes()].concat();
    // Comment length, disk, attributes (8 bytes), offset of the entry: 14 bytes, all zero.
    let start = u32::try_from(local.len()).unwrap().to_le_bytes();
    let long = u32::try_from(directory.len()).unwrap().to_le_bytes();
    [local, directory, [&[0x50, 0x4b, 5, 6, 0, 0, 0, 0, 1, 0, 1, 0][..], &long, &start, &[0, 0]].concat()].concat()
}

#[test]
fn the_export_is_brought_resumed_where_it_broke_off_and_not_brought_twice() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let zip = archive("EX-2026-1.json", ADVISORY.as_bytes());
    let server = std::thread::spawn(move || {
        let mut requests = Vec::new();
        for number in 0..3 {
            let (mut stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut request = String::new();
            for _ in 0..64 {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                if line.trim().is_empty() {
                    break;
                }
                request += &line.to_ascii_lowercase();
            }
            let half = zip.len() / 2;
            match number {
                // Half of it, then the connection goes.
                0 => {
                    write!(stream, "HTTP/1.1 200 OK\r\nETag: \"one\"\r\nContent-Length: {}\r\n\r\n", zip.len())
                        .unwrap();
                    stream.write_all(&zip[..half]).unwrap();
                }
                1 => {
                    let rest = zip.len() - half;
                    let range = format!("bytes {half}-{}/{}", zip.len() - 1, zip.len());
                    write!(
                        stream,
                        "HTTP/1.1 206 Partial Content\r\nETag: \"one\"\r\nContent-Range: {range}\r\nContent-Length: {rest}\r\nConnection: close\r\n\r\n"
                    )
                    .unwrap();
                    stream.write_all(&zip[half..]).unwrap();
                }
                _ => write!(stream, "HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n").unwrap(),
            }
            requests.push(request);
        }
        requests
    });
    let shop = project();
    let arguments = ["update", "--mirror", &address, "--ecosystem", "pypi"];
    run(&shop, &arguments).code(0).says("PyPI: 1 advisories about 1 packages");
    run(&shop, &arguments).code(0).says("PyPI: unchanged");
    let requests = server.join().unwrap();
    assert!(requests[0].starts_with("get /pypi/all.zip"), "{requests:?}");
    assert!(requests[1].contains("range: bytes=") && requests[1].contains("if-range: \"one\""), "{requests:?}");
    assert!(requests[2].contains("if-none-match: \"one\""), "{requests:?}");
}

#[test]
fn without_a_network_the_other_way_is_told() {
    // A port that nobody listens on any more.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let shop = project();
    run(&shop, &["update", "--mirror", &format!("http://{address}")]).code(2).says("--from PATH");
}
