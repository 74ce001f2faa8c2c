//! ringfence-agent

fn main() {}
