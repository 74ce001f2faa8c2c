//! What honest text looks like, roughly: how often a byte occurs, and which runs of four bytes are commonplace.
//!
//! Only the choice of what to look for first depends on it: a worse guess costs time, never a match.

use std::sync::OnceLock;

/// Words and phrases of requests, pages and data, in lower case.
const SAMPLE: &str = r#"mozilla/5.0 (windows nt 10.0; win64; x64) applewebkit/537.36 (khtml, like gecko) chrome/126.0.0.0 safari/537.36
 (macintosh; intel mac os x 10_15_7) firefox/128.0 version/17.5 mobile/15e148 (iphone; cpu iphone os like mac os x) linux; android
 text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/png,*/*;q=0.8 gzip, deflate, br, zstd
 en-us,en;q=0.9,de;q=0.7 keep-alive no-cache max-age=0 same-origin cross-site navigate document accept-language accept-encoding
 content-type: application/json; charset=utf-8 application/x-www-form-urlencoded multipart/form-data; boundary=----webkitformboundary
 content-disposition: form-data; name="file"; filename="document.pdf" content-length x-forwarded-for x-requested-with xmlhttprequest
 authorization: bearer cookie: session=; sessionid=; csrftoken=; theme=dark; consent=necessary; language=; upgrade-insecure-requests
 https://www.example.com/index.html?id=1&page=2&sort=price_asc&limit=20&offset=0&search=&query=&q=&category=&filter=&view=&ref=
 /api/v1/users/ /api/v2/orders/ /products/items/search /account/settings/profile /static/images/style.css /javascript/main.js
 {"id": 1, "name": "first last", "email": "user@example.com", "phone": "+1 555 123 456", "password": "", "username": "", "token": "",
 "address": {"street": "", "city": "", "state": "", "zip": "", "country": "", "postal_code": ""}, "items": [{"sku": "", "title": "",
 "description": "", "quantity": 1, "unit_price": 9.99, "currency": "eur", "total": 42.5, "amount": 0, "gift": false}], "records": [],
 "created_at": "2026-01-01t12:00:00z", "updated_at": null, "status": "active", "type": "", "value": "", "key": "", "data": {}, "message":
 "", "error": "", "code": 200, "count": 0, "number": 0, "list": [], "array": [], "object": {}, "string": "", "boolean": true, "timestamp":
 "", "customer": "", "order_id": "", "product": "", "comment": "", "note": "", "tags": [], "options": {}, "metadata": {}, "attributes":
 {}, "messageid": "", "receipthandle": "", "body": "", "eventsource": "aws:sqs", "eventsourcearn": "arn:aws:sqs:us-east-1:123456789012:",
 "awsregion": "us-east-1", "event": "created", "version": "1.0", "format": "", "action": "", "result": "", "response": "", "request": ""}
 json.items.array_0.name json.array_10.value
 <!doctype html><html lang="en"><head><meta charset="utf-8"><title></title><link rel="stylesheet" href="/style.css"><script src="">
 </script></head><body class="page"><header></header><nav><ul><li><a href="https://">home</a></li></ul></nav><main><section id="">
 <h1></h1><h2></h2><h3></h3><article><p></p></article><div class="container"></div><span></span><img src="" alt="" width="" height="">
 <table><thead><tr><th></th></tr></thead><tbody><td></td></tbody></table><form action="/" method="post"><input type="text" name=""
 value=""><label for=""></label><select><option></option></select><textarea></textarea><button type="submit"></button></form><footer>
 copyright all rights reserved. privacy policy. terms of service. contact us. about us. sign in. log out. shopping cart. read more.
 details and delivery times. please leave it at the door, thanks. hand made, fits the dishwasher. minutes of the meeting: we need
 two more tests before spring. the and for that with this have from your you are not was will would could should there their they what
 which when where been were more some other about into than then them only over also after first because between number of people
 through under while being those such same each both most many much very just like even still well here make made way day time year
 work world company service system information business group problem point home water room mother area money story fact month lot
 right study book eye job word side kind house service friend father power hour game line end member law car city community name"#;

/// Whether four bytes, in lower case, are a run that honest text often has.
fn is_common(window: [u8; 4]) -> bool {
    static RUNS: OnceLock<Vec<u64>> = OnceLock::new();
    let runs = RUNS.get_or_init(|| {
        let mut runs = vec![0u64; 1024];
        for window in SAMPLE.as_bytes().windows(4).filter_map(|window| window.first_chunk::<4>()) {
            let place = place(*window);
            runs[place / 64] |= 1 << (place % 64);
        }
        runs
    });
    let place = place(window);
    runs.get(place / 64).is_some_and(|word| word >> (place % 64) & 1 == 1)
}

fn place(window: [u8; 4]) -> usize {
    (u32::from_be_bytes(window).wrapping_mul(0x9e37_79b1) >> 16) as usize
}

/// How often a text in lower case occurs in honest text, roughly, times a large number.
pub(crate) fn cost(text: &[u8]) -> u64 {
    let product = text.iter().fold(1u64 << 40, |cost, byte| (cost * u64::from(weight(*byte))) >> 10);
    let common = text.len() >= 4
        && text.windows(4).filter_map(|window| window.first_chunk::<4>()).all(|window| is_common(*window));
    product.max(1) << if common { 10 } else { 0 }
}

/// The most telling `length` bytes of a literal.
pub(crate) fn core(literal: &[u8], length: usize) -> &[u8] {
    literal.windows(length).min_by_key(|window| cost(window)).unwrap_or(literal)
}

/// How many of 1024 bytes of honest text are this one.
pub(crate) fn weight(byte: u8) -> u32 {
    const WEIGHTS: [u32; 256] = {
        let mut weights = [0; 256];
        let mut byte = 0;
        while byte < 256 {
            weights[byte] = weigh(byte as u8);
            byte += 1;
        }
        weights
    };
    WEIGHTS[usize::from(byte)]
}

const fn weigh(byte: u8) -> u32 {
    match byte.to_ascii_lowercase() {
        b'e' | b't' | b'a' | b'o' | b'i' | b'n' | b's' | b'r' => 80,
        b'l' | b'd' | b'c' | b'm' | b'u' | b'p' | b'h' | b'g' => 45,
        b'f' | b'y' | b'b' | b'w' | b'v' | b'k' => 25,
        b'x' | b'j' | b'q' | b'z' => 12,
        b'0'..=b'9' => 40,
        b' ' | b'.' | b',' | b'-' | b'_' | b'/' => 40,
        b':' | b'=' | b';' | b'(' | b')' | b'+' => 16,
        128.. => 8,
        0..=31 | 127 => 1,
        _ => 4,
    }
}
