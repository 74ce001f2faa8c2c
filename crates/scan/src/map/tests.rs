//! Maps of templates as someone could have written them.

use super::{Format, render};
use graph::Estate;
use source::{SourceFile, Sources};

const SHOP: &str = "\
AWSTemplateFormatVersion: '2010-09-09'
Transform: AWS::Serverless-2016-10-31
Resources:
  Paid:
    Type: AWS::SQS::Queue
  Take:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.12
      Handler: app.handler
      CodeUri: take/
      Environment:
        Variables:
          TOKEN: very-secret-value
      Policies:
        - SQSSendMessagePolicy:
            QueueName: !GetAtt Paid.QueueName
        - Statement:
            - Effect: Allow
              Action: dynamodb:*
              Resource: '*'
      Events:
        Post:
          Type: HttpApi
          Properties: { Method: POST, Path: /orders }
  Charge:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: nodejs22.x
      Handler: index.handler
      CodeUri: charge/
      Events:
        Paid:
          Type: SQS
          Properties: { Queue: !GetAtt Paid.Arn }
";

fn map(templates: &[(&str, &str)], format: Format) -> String {
    let mut sources = Sources::new();
    let mut estate = Estate::default();
    for (path, text) in templates {
        let file = sources.add(SourceFile::new(*path, *text));
        estate.applications.extend(template::read(&mut sources, file, &mut |_| None).application);
    }
    render(&estate, &sources, format)
}

#[test]
fn the_table_fits_its_hundred_columns_and_ends_with_the_numbers() {
    let table = map(&[("shop/template.yaml", SHOP)], Format::Table);
    for line in table.lines() {
        assert!(line.chars().count() <= 100, "{line}");
    }
    let row = table.lines().find(|line| line.contains("Take")).unwrap();
    for word in ["POST /orders", "own role", "Paid", "public"] {
        assert!(row.contains(word), "{row}");
    }
    assert!(table.contains("dynamodb *"), "{table}");
    assert!(table.contains("2 functions: 1 public, 1 fed\n"), "{table}");
    assert!(table.contains("2 triggers: 1 http-api, 1 sqs\n"), "{table}");
    assert!(table.contains("1 function allowed something on every resource"), "{table}");
}

#[test]
fn a_name_that_speaks_to_the_terminal_is_only_shown() {
    let template = SHOP.replace("  Take:", "  \"Ta\\e[2Jke\":");
    let table = map(&[("template.yaml", &template)], Format::Table);
    assert!(!table.contains('\u{1b}'));
    assert!(table.contains("\\u{1b}[2Jke"), "{table}");
}

#[test]
fn the_page_asks_nobody_for_anything_and_runs_only_its_own_script() {
    let page = map(&[("shop/template.yaml", SHOP)], Format::Html);
    assert!(page.contains("default-src 'none'; style-src 'sha256-"), "no policy");
    for address in ["src=", "url(", "@import", "<link", "<iframe", "<img"] {
        assert!(!page.contains(address), "{address}");
    }
    let addresses = page.split("href=\"").skip(1).filter(|rest| !rest.starts_with('#')).count();
    assert_eq!(addresses, 0);
    // The policy has no place for styles and handlers in attributes.
    assert!(!page.contains(" style=\"") && !page.contains(" onclick=") && !page.contains(" onload="));
    assert_eq!(page.matches("<script").count(), 1);
    assert_eq!(page.matches("http://").count(), page.matches("xmlns=\"http://www.w3.org/2000/svg\"").count());
}

#[test]
fn the_page_shows_each_function_with_its_places_and_no_secret() {
    let page = map(&[("shop/template.yaml", SHOP)], Format::Html);
    for text in ["id=\"a0-c0\"", "id=\"a0-c1\"", "shop/template.yaml:6", "no authorization", "SendMessage", "take"] {
        assert!(page.contains(text), "{text}");
    }
    assert!(page.contains("TOKEN") && !page.contains("very-secret-value"));
}

#[test]
fn markup_in_a_template_stays_text_on_the_page() {
    let hostile = "</title><script>alert(1)</script>";
    let template = SHOP
        .replace("  Take:", &format!("  \"{hostile}\":"))
        .replace("/orders", "\"/<img src=x onerror=alert(1)>\"")
        .replace("app.handler", "\"<b>app</b>\"")
        .replace("TOKEN", "\"<i>TOKEN\"");
    let page = map(&[(&format!("{hostile}/template.yaml"), &template)], Format::Html);
    assert!(page.contains("&lt;/title&gt;&lt;script&gt;alert(1)"));
    assert_eq!(page.matches("<script").count(), 1);
    assert_eq!(page.matches("</title>").count(), page.matches("<title>").count());
    for markup in ["<img", "<b>app", "<i>"] {
        assert!(!page.contains(markup), "{markup}");
    }
}

#[test]
fn several_applications_get_a_section_each_and_a_switcher() {
    let templates = [("shop/template.yaml", SHOP), ("depot/template.yaml", SHOP)];
    let page = map(&templates, Format::Html);
    assert!(page.contains("<a href=\"#a1\">") && page.contains("id=\"a1\""));
    // Ids are unique, or links and cards would mix the applications up.
    let mut ids: Vec<&str> = page.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count);
    let json: serde_json::Value = serde_json::from_str(&map(&templates, Format::Json)).unwrap();
    assert_eq!(json["applications"].as_array().unwrap().len(), 2);
    assert_eq!(map(&templates, Format::Mermaid).matches("flowchart LR").count(), 2);
    assert_eq!(map(&templates, Format::Dot).matches("digraph").count(), 2);
}

#[test]
fn nothing_read_is_said_rather_than_drawn() {
    assert!(map(&[], Format::Table).starts_with("No application found"));
    assert!(map(&[], Format::Html).contains("No application found"));
    assert_eq!(map(&[], Format::Json), "{\n  \"applications\": []\n}\n");
}
