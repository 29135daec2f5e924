//! Calls through tables.
trait Shape {
    fn area(&self) -> f64;
}

struct Circle(f64);
struct Square(f64);
struct Triangle(f64, f64);

impl Shape for Circle {
    fn area(&self) -> f64 {
        std::f64::consts::PI * self.0 * self.0
    }
}

impl Shape for Square {
    fn area(&self) -> f64 {
        self.0 * self.0
    }
}

impl Shape for Triangle {
    fn area(&self) -> f64 {
        self.0 * self.1 / 2.0
    }
}

fn main() {
    let shapes: Vec<Box<dyn Shape>> = (0..1_000)
        .map(|n| -> Box<dyn Shape> {
            let size = n as f64;
            match n % 3 {
                0 => Box::new(Circle(size)),
                1 => Box::new(Square(size)),
                _ => Box::new(Triangle(size, 2.0)),
            }
        })
        .collect();
    let mut total = 0.0;
    for _ in 0..5_000 {
        for shape in &shapes {
            total += shape.area();
        }
    }
    println!("{total}");
}
