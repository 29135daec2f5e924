//! Counting in a hash map.
use std::collections::HashMap;

fn main() {
    let mut sums: HashMap<u64, u64> = HashMap::new();
    for n in 0..500_000u64 {
        *sums.entry(n * 2_654_435_761 % 50_021).or_default() += n;
    }
    let mut sums: Vec<_> = sums.into_iter().collect();
    sums.sort();
    println!("{:?}", &sums[..3]);
}
