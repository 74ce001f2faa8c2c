//! Requests to measure with: a folder per scenario with raw requests and the response to inspect with each of them.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// What a browser sends with each request.
const BROWSER: &[(&str, &str)] = &[
    ("Host", "shop.example.com"),
    (
        "User-Agent",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    ),
    ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"),
    ("Accept-Language", "en-US,en;q=0.9,de;q=0.7"),
    ("Accept-Encoding", "gzip, deflate, br"),
    ("Referer", "https://shop.example.com/catalogue/kitchen"),
    ("Cookie", "session=6f1d2c9ab47e4f0e8c5b3a7d; theme=dark; consent=necessary"),
    ("Sec-Fetch-Site", "same-origin"),
    ("Sec-Fetch-Mode", "navigate"),
    ("Sec-Fetch-Dest", "document"),
    ("Upgrade-Insecure-Requests", "1"),
];

fn request(method: &str, path: &str, body: Option<(&str, &str)>) -> String {
    let mut out = format!("{method} {path} HTTP/1.1\r\n");
    // Writing to a string can't fail.
    for (name, value) in BROWSER {
        let _ = write!(out, "{name}: {value}\r\n");
    }
    if let Some((kind, body)) = body {
        let _ = write!(out, "Content-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    } else {
        out.push_str("\r\n");
    }
    out
}

fn response(page: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\n\r\n{page}", page.len())
}

fn order(number: u32) -> String {
    let items: Vec<String> = (1..15)
        .map(|item| {
            format!(
                "{{\"sku\":\"KT-{:05}\",\"title\":\"Stoneware mug, hand made, batch {item}\",\"quantity\":{},\
                 \"unit_price\":{}.{:02},\"currency\":\"EUR\",\"gift\":false}}",
                number * 311 + item * 17,
                item % 4 + 1,
                9 + item,
                item * 7 % 100
            )
        })
        .collect();
    format!(
        "{{\"order_id\":\"ord_{:08}\",\"customer\":{{\"name\":\"Maria Lindqvist\",\"email\":\"maria.lindqvist@example.com\",\
         \"phone\":\"+46 8 123 456\"}},\"address\":{{\"street\":\"Storgatan 12\",\"city\":\"Uppsala\",\"zip\":\"75320\",\
         \"country\":\"SE\"}},\"note\":\"Please ring the bell twice\",\"items\":[{}]}}",
        number * 7919,
        items.join(",")
    )
}

fn queue_event(number: u32) -> String {
    let records: Vec<String> = (0..3)
        .map(|record| {
            format!(
                "{{\"messageId\": \"059f36b4-87a3-44ab-83d2-{number:06}{record:06}\", \"receiptHandle\": \
                 \"AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a\", \"body\": \"{{\\\"event\\\": \\\"order.created\\\", \\\"order\\\": \
                 \\\"ord_{}\\\", \\\"total\\\": {}.5, \\\"customer\\\": \\\"maria@example.com\\\"}}\", \"attributes\": \
                 {{\"ApproximateReceiveCount\": \"1\", \"SentTimestamp\": \"1545082649183\", \"SenderId\": \
                 \"AIDAIENQZJOLO23YVJ4VO\", \"ApproximateFirstReceiveTimestamp\": \"1545082649185\"}}, \
                 \"messageAttributes\": {{}}, \"md5OfBody\": \"e4e68fb7bd0e697a0ae8f1bb342846b3\", \"eventSource\": \
                 \"aws:sqs\", \"eventSourceARN\": \"arn:aws:sqs:us-east-2:123456789012:my-queue\", \"awsRegion\": \
                 \"us-east-2\"}}",
                number * 100 + record,
                42 + record
            )
        })
        .collect();
    format!("{{\"Records\": [{}]}}", records.join(", "))
}

fn upload() -> String {
    let boundary = "----WebKitFormBoundary7MA4YWxkTrZu0gW";
    let text =
        "Minutes of the meeting: the new kiln works, the glaze needs two more tests before spring.\r\n".repeat(90);
    let body = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nMinutes\r\n--{boundary}\r\n\
         Content-Disposition: form-data; name=\"file\"; filename=\"minutes.txt\"\r\nContent-Type: text/plain\r\n\r\n\
         {text}\r\n--{boundary}--\r\n"
    );
    request("POST", "/documents", Some((&format!("multipart/form-data; boundary={boundary}"), &body)))
}

fn page() -> String {
    let articles: String = (1..=120)
        .map(|item| {
            format!(
                "<article><h2>Item {item}</h2><p>Stoneware mug number {item}, hand made, fits the dishwasher. Holds 3 \
                 dl.</p><a href=\"/items/{item}\">Details and delivery times</a></article>\n"
            )
        })
        .collect();
    format!(
        "<!doctype html><html lang=\"en\"><head><title>Kitchen catalogue</title></head><body>\n{articles}</body></html>\n"
    )
}

/// Writes all scenarios below `folder`.
pub(super) fn write(folder: &Path) -> anyhow::Result<()> {
    let small =
        response("<!doctype html><html><head><title>Orders</title></head><body><h1>Your orders</h1></body></html>\n");
    let form = "application/x-www-form-urlencoded";
    let words = ["kettle", "teapot", "green+tea", "glass%20jar", "tray", "linen+cloth", "wooden%20spoon", "mug"];
    let get = |(number, word): (usize, &&str), page: usize| {
        let reference = (number + 1) * 137;
        let path =
            format!("/catalogue/kitchen/items?q={word}&page={page}&sort=price_asc&in_stock=true&ref=cat-{reference}");
        request("GET", &path, None)
    };
    let attacks = [
        "/items?id=1%27%20UNION%20SELECT%20username,password%20FROM%20users--%20-",
        "/items?q=%3Cscript%3Ealert(document.cookie)%3C/script%3E",
        "/download?file=../../../../etc/passwd",
        "/ping?host=127.0.0.1%3Bcat%20/etc/passwd",
    ];
    let address = |number: u32| {
        format!(
            "first_name=Maria&last_name=Lindqvist&email=maria%40example.com&street=Storgatan+{number}&city=Uppsala\
             &zip=753{number:02}&country=SE&newsletter=on&comment=Leave+it+at+the+door%2C+thanks"
        )
    };
    let scenarios: [(&str, Vec<String>, String); 7] = [
        (
            "benign_get",
            words.iter().enumerate().flat_map(|word| (1..5).map(move |page| get(word, page))).collect(),
            small.clone(),
        ),
        (
            "benign_post",
            (1..17).map(|n| request("POST", "/api/v2/orders", Some(("application/json", &order(n))))).collect(),
            small.clone(),
        ),
        (
            "benign_form",
            (1..17).map(|n| request("POST", "/account/address", Some((form, &address(n))))).collect(),
            small.clone(),
        ),
        ("attack", attacks.iter().map(|path| request("GET", path, None)).collect(), small.clone()),
        ("page", vec![request("GET", "/static/page.html?lang=en", None)], response(&page())),
        (
            "event_sqs",
            (1..9)
                .map(|n| {
                    let path = "/2015-03-31/functions/orders/invocations";
                    request("POST", path, Some(("application/json", &queue_event(n))))
                })
                .collect(),
            small.clone(),
        ),
        ("upload", vec![upload()], small),
    ];
    for (name, requests, response) in scenarios {
        let folder = folder.join(name);
        fs::create_dir_all(&folder)?;
        for (number, request) in requests.iter().enumerate() {
            fs::write(folder.join(format!("{number:02}.http")), request)?;
        }
        fs::write(folder.join("response.http"), response)?;
    }
    Ok(())
}
