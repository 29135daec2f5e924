//! A loop of floating point that leaves early.
const SIZE: u32 = 300;

fn steps(cr: f64, ci: f64) -> u64 {
    let (mut r, mut i, mut steps) = (0.0, 0.0, 0);
    while steps < 200 && r * r + i * i <= 4.0 {
        (r, i) = (r * r - i * i + cr, 2.0 * r * i + ci);
        steps += 1;
    }
    steps
}

fn main() {
    let mut total = 0;
    for y in 0..SIZE {
        for x in 0..SIZE {
            let scale = SIZE as f64;
            total += steps(x as f64 * 3.0 / scale - 2.0, y as f64 * 2.0 / scale - 1.0);
        }
    }
    println!("{total}");
}
