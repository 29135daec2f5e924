//! Small loops over a vector.
const LIMIT: usize = 5_000_000;

fn main() {
    let mut prime = vec![true; LIMIT + 1];
    prime[..2].fill(false);
    let mut n = 2;
    while n * n <= LIMIT {
        if prime[n] {
            let mut multiple = n * n;
            while multiple <= LIMIT {
                prime[multiple] = false;
                multiple += n;
            }
        }
        n += 1;
    }
    println!("{}", prime.iter().filter(|&&prime| prime).count());
}
