//! Nested loops over vectors of floats.
const SIZE: usize = 240;

fn main() {
    let a: Vec<Vec<f64>> = (0..SIZE)
        .map(|i| (0..SIZE).map(|j| (i * j % 7) as f64).collect())
        .collect();
    let b = a.clone();
    let mut product = vec![vec![0.0; SIZE]; SIZE];
    for i in 0..SIZE {
        for j in 0..SIZE {
            for k in 0..SIZE {
                product[i][j] += a[i][k] * b[k][j];
            }
        }
    }
    println!("{}", product.iter().flatten().sum::<f64>());
}
