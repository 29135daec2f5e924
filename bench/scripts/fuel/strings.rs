//! Formatting, splitting, searching and changing text.
use std::fmt::Write;

fn main() {
    let mut text = String::new();
    for n in 0..80_000 {
        write!(text, "{}-{:x};", n, n * 7).unwrap();
    }
    let upper: usize = text
        .split(';')
        .filter(|part| part.contains("ff"))
        .map(|part| part.to_uppercase().len())
        .sum();
    println!("{} {upper}", text.len());
}
