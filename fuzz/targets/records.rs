#![no_main]
//! Records as lines: what was read is written, and read again as the same; and in the terms of OCSF.

use libfuzzer_sys::fuzz_target;
use records::Record;

fuzz_target!(|input: &[u8]| {
    let Ok(text) = std::str::from_utf8(input) else { return };
    match Record::from_line(text) {
        Ok(record) => {
            let line = record.to_line();
            assert!(!line.contains('\n'));
            assert_eq!(Record::from_line(&line).as_ref(), Ok(&record));
            let _ = records::ocsf::to_ocsf(&record);
        }
        Err(error) => drop(error.to_string()),
    }
});
