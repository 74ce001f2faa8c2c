#![no_main]
//! Terraform configurations: a repository whose top folder is the configuration; modules lie in folders below.

use fuzz::Repository;
use libfuzzer_sys::fuzz_target;
use source::Sources;

fuzz_target!(|input: &[u8]| {
    let Some(repository) = Repository::of(input, "main.tf") else { return };
    let paths: Vec<&str> = repository.files().map(|(path, _)| path).collect();
    let _ = paths.iter().filter(|path| terraform::is_configuration(path)).count();
    let mut sources = Sources::new();
    let reading = terraform::read(&mut sources, "", &repository);
    if let Some(application) = reading.application {
        let _ = fence::derive(&application, &sources);
    }
});
