//! What inspecting honest events costs: `cargo run --release -p waf --example speed`.

use std::time::Instant;

use waf::{Context, Engine, Limits};

const ROUNDS: u32 = 20_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let start = Instant::now();
    let engine = Engine::new();
    println!("building the prefilter: {:?}", start.elapsed());
    let start = Instant::now();
    engine.warm();
    println!("compiling every expression: {:?}", start.elapsed());
    let events: Vec<serde_json::Value> = serde_json::from_str(include_str!("../tests/corpus/envelopes.json"))?;
    for event in &events {
        let start = Instant::now();
        let mut work = waf::Work::default();
        for _ in 0..ROUNDS {
            work = engine.walk("event", event, &Limits::default(), &|_| Context::default(), &mut Vec::new())?;
        }
        println!("{:?} for {} strings and values of {} bytes", start.elapsed() / ROUNDS, work.leaves, work.bytes);
    }
    Ok(())
}
