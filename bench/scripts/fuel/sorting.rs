//! The two sorts of the standard library, with and without a closure.
fn main() {
    let mut x = 12_345u64;
    let mut values: Vec<u64> = (0..250_000)
        .map(|_| {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            x
        })
        .collect();
    values.sort();
    let mut reversed = values.clone();
    reversed.sort_unstable_by_key(|value| value.rotate_left(31));
    println!("{} {}", values[0], reversed[0]);
}
