//! ringfence

fn main() {}
