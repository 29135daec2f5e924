//! Large copies and fills, which are single operators.
fn main() {
    let mut bytes = vec![1u8; 1 << 20];
    let mut total = 0u64;
    for n in 0..250 {
        let copy = bytes.clone();
        bytes.copy_within(n..n + 500_000, 1_000);
        bytes[n] = copy[n * 7].wrapping_add(3);
        total += bytes[n] as u64;
        bytes.fill(n as u8);
    }
    println!("{total}");
}
